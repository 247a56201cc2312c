// SPDX-License-Identifier: GPL-2.0
/*
 * metadata_bug: let nvmet_req_alloc_sgls() get memory for data, but not for metadata, with
 * late_failures.  Prints whether the request still points to the data.
 */
#include <linux/module.h>
#include "nvmet.h"

static int __init metadata_bug_init(void)
{
	static struct nvmet_sq sq;
	static struct nvmet_req req = { .sq = &sq, .transfer_len = 4096 + 64, .metadata_len = 64 };
	int error = nvmet_req_alloc_sgls(&req);

	pr_info("metadata_bug: error %d, list %s\n", error, req.sg ? "dangling" : "none");
	return error ? -EAGAIN : 0;
}
module_init(metadata_bug_init);

MODULE_DESCRIPTION("Shows a bug of the NVMe target");
MODULE_LICENSE("GPL");
