/* SPDX-License-Identifier: BSD-3-Clause */
/* A library that says of itself that it is libivflat VERSION, and can do nothing. */
unsigned int ivflat_version(void);

unsigned int ivflat_version(void)
{
    return VERSION;
}
