#include "tools/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

/* The permitted set. */
static int get_caps(uint64_t *ret)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data) != 0)
		return -errno;
	*ret = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	return 0;
}

/* Permitted and effective; nothing is inheritable. */
static int set_caps(uint64_t caps)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted = (uint32_t)(caps >> (32 * i));
		data[i].effective = data[i].permitted;
	}
	return syscall(SYS_capset, &header, data) == 0 ? 0 : -errno;
}

/* Whatever this process might run is as bare as it is. Needs CAP_SETPCAP. */
static int drop_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			return -errno;
	return 0;
}

static int drop_caps(uint64_t caps)
{
	int r;

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return -errno;
	if (caps & CAP_BIT(CAP_SETPCAP)) {
		r = drop_bounding_set();
		if (r < 0)
			return r;
	}
	r = set_caps(caps & CAP_BIT(CAP_DAC_READ_SEARCH));
	if (r < 0)
		return r;
	/* Another process of root, without its capabilities, must not reach
	 * ours with ptrace(2). A user's process has nothing to hide from its
	 * user, who may want to look into /proc. */
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -errno;
}

int hf_privileges_drop(void)
{
	const struct rlimit no_core = {0, 0};
	uint64_t caps = 0;
	int r = get_caps(&caps);

	if (r < 0)
		return r;
	if (setrlimit(RLIMIT_CORE, &no_core) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	return caps != 0 ? drop_caps(caps) : 0;
}
