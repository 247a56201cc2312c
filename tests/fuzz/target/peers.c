// SPDX-License-Identifier: GPL-2.0
/* Tables of decisions in debugfs. */
#include <string.h>

#include "machine/peers.h"
#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peers peers;
	struct tree tree;
	int rc;

	tree_make(&tree, data, size);
	peers_shown(tree_dir());
	rc = peers_load(&peers, tree_dir(), tree_path("debug"));
	REQUIRE(rc == 0 || rc == 3 || rc == 4);
	for (size_t i = 0; !rc && i < peers.nr; i++) {
		const struct provider *provider = &peers.providers[i];

		REQUIRE(peers_provider(&peers, provider->dev));
		for (size_t p = 0; p < provider->nr; p++) {
			REQUIRE(*provider->peers[p].client);
			provider_peer(provider, provider->peers[p].client);
		}
	}
	if (!rc)
		peers_free(&peers);
	tree_remove(&tree);
	return 0;
}
