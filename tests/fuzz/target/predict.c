// SPDX-License-Identifier: GPL-2.0
/* PCI functions in sysfs, their config space, and what is predicted from them. */
#include <string.h>

#include "machine/acs.h"
#include "machine/peers.h"
#include "machine/predict.h"
#include "tree.h"

static void explain(const char *pci, const char *client)
{
	struct pci_access *config = config_open(tree_dir());
	struct redirects redirects;
	struct end a, b;

	if (!end_read(&a, config, tree_dir(), pci) &&
	    !end_read(&b, config, tree_dir(), client)) {
		redirects_gather(&redirects, &a, &b);
		REQUIRE(redirects.nr_provider <= redirects.nr);
		REQUIRE(redirects.nr <= a.path.depth + b.path.depth);
		REQUIRE(pci_path_shared(&a.path, &b.path) < a.path.depth);
	}
	config_close(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peers peers;
	struct tree tree;
	int rc;

	tree_make(&tree, data, size);
	rc = predict_load(&peers, tree_dir(), tree_path("cpuinfo"), "/nowhere");
	REQUIRE(rc >= 0 && rc <= 4);
	for (size_t i = 0; !rc && i < peers.nr; i++) {
		const struct provider *provider = &peers.providers[i];

		REQUIRE(peers_provider(&peers, provider->pci));
		for (size_t p = 0; p < provider->nr; p++) {
			const struct peer *peer = &provider->peers[p];

			REQUIRE(provider_peer(provider, peer->client));
			REQUIRE(*peer->map && *peer->reason && peer->distance >= 0);
			explain(provider->pci, peer->client);
		}
	}
	if (!rc)
		peers_free(&peers);
	tree_remove(&tree);
	return 0;
}
