/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included in front of every file of the build for unit tests, and of no other: there,
 * P2PTRACE_TEST_BTF in the environment names the BTF of the kernel, so that tests depend on no
 * kernel and trace none.
 */
#include <stdlib.h>

#define NVMET_BTF "/nowhere/nvmet"
#define VMLINUX_BTF (getenv("P2PTRACE_TEST_BTF") ? getenv("P2PTRACE_TEST_BTF") : "/nowhere/vmlinux")
