/* SPDX-License-Identifier: BSD-3-Clause */
/* A program that a test runs: it ends with the test at the latest, and what it says is kept. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>

struct process;

/* Starts @argv[0] (looked for in PATH), both outputs and the input ours.  @lent_fd, if not negative, is descriptor 3
 * there; it stays the caller's.  Killed and reaped at the test's end if it is still there then. */
struct process *process_start(const char *const *argv, int lent_fd);

/* Types @text at its input. */
void process_type(struct process *process, const char *text);

/* Whether it says what matches @pattern, a regular expression, within @timeout_ms. */
bool process_says(struct process *process, const char *pattern, int timeout_ms);

/* The same, and fails with all that it said when it does not come. */
void process_expect(struct process *process, const char *pattern);

/* All that it has said so far. */
const char *process_said(struct process *process);

/* Sends @signal, waits for its end, and answers waitpid()'s status.  What it said can still be asked for. */
int process_end(struct process *process, int signal);

int process_pid(const struct process *process); /* 0: reaped */

#endif
