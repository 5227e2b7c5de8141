/*
 * privileges: what a process that parses foreign bytes may keep.
 */
#ifndef HF_PRIVILEGES_H
#define HF_PRIVILEGES_H

#include "fs/base/base.h"

/*
 * Gives up, for good, what serving does not need: no new privileges by exec,
 * no core dump; of the capabilities only CAP_DAC_READ_SEARCH stays, if it was
 * there, because root presents files that are not its own. Call after mounting
 * and before threads start. Negative errno.
 */
int hf_privileges_drop(void) HF_MUST_USE;

#endif
