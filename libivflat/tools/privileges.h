/* SPDX-License-Identifier: BSD-3-Clause */
/* Nobody needs to be root to run a server; who is root all the same keeps of that what a server can need. */
#ifndef TOOLS_PRIVILEGES_H
#define TOOLS_PRIVILEGES_H

/* Lets go of all else, for what is started in our place too. */
void privileges_drop(void);

#endif
