/* SPDX-License-Identifier: BSD-3-Clause */
/* The two programs, run as a person runs them. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "process.h"
#include "support.h"

#define SERVER program_path("IVFLAT_SERVER")
#define CLIENT program_path("IVFLAT_CLIENT")

/* The program's path, from the environment. */
const char *program_path(const char *variable);

/* Runs it to its end: asserts the exit status, and that what it said (both outputs) matches the regular expression.
 * The words are up to a NULL. */
#define program_run(status, pattern, ...)                                                                              \
    program_run_at(__LINE__, status, pattern, (const char *const[]){__VA_ARGS__, NULL})
void program_run_at(int line, int status, const char *pattern, const char *const *argv);

/* The same as nobody, whom file permissions bind, with the test's folder open to all.  False: not to be had here, and it
 * is said why. */
#define program_run_as_nobody(status, pattern, ...)                                                                    \
    program_run_as_nobody_at(__LINE__, status, pattern, (const char *const[]){__VA_ARGS__, NULL})
bool program_run_as_nobody_at(int line, int status, const char *pattern, const char *const *argv);

/* Starts it; it is ended with the test at the latest. */
#define program_start(...) process_start((const char *const[]){__VA_ARGS__, NULL}, -1)

/* ivflat-server at test_path("s") with @vectors vectors and 64 KiB; it listens when this returns. */
struct process *server_begin(const char *vectors);

/* ivflat-client there; its id is @id. */
struct process *client_begin(const char *id);

/* Types a command, and waits until what it says matches. */
void client_does(struct process *client, const char *command, const char *pattern);

/* Ends it by @signal, or lets it end (0): exits with @status. */
void process_expect_end(struct process *process, int signal, int status);

/* In the test's folder is what @names lists, blanks between, in order of the alphabet. */
void expect_folder(const char *names);

#endif
