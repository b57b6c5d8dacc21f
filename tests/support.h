/* SPDX-License-Identifier: BSD-3-Clause */
/* What every test stands on, thin over Check: a runner, a test case that counts descriptors and children around each
 * test, a folder per test, and makers of what travels over the wire.  Makers assert, so they never answer a failure. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

/* How long a test waits for what must come, in milliseconds: it never does, so it may be generous. */
#define PATIENCE_MS 20000

/* A test case of @suite.  Around each of its tests: open descriptors are the same before and after, no child process is
 * left, and the test's folder is removed. */
TCase *suite_case(Suite *suite, const char *name);

/* Runs and frees @suite.  Answers what main() answers. */
int suite_run(Suite *suite);

/* Runs @function(@argument) when the test has ended, before its descriptors are counted; the last one first. */
void at_test_end(void (*function)(void *argument), void *argument);

/* The test's own folder, and a path in it: short enough for a socket.  They live until the test's end. */
const char *test_folder(void);
const char *test_path(const char *name);

/* Open descriptors of this process, the one that looks not counted. */
uint32_t count_fds(void);

/* All but the process's limit of descriptors are taken: until fill_fds_undo(), @spare may be opened. */
void fill_fds(uint32_t spare);
void fill_fds_undo(void);

/* Makers.  What they answer is the test's, to close or to give away. */
int make_eventfd(void);                  /* not blocking, 0 */
int make_memory(uint64_t size);          /* a memfd that anybody can resize */
int make_sealed_memory(uint64_t size);   /* one that nobody can */
int make_readonly_memory(uint64_t size); /* a memfd, opened for reading */
void make_pipe(int ends[2]);             /* [0] to read, [1] to write; both block */
void make_socketpair(int ends[2]);
int dup_fd(int fd);
void close_fd(int fd); /* asserts that it was open */

/* What is in an eventfd or a pipe, taken out: an eventfd's count, a pipe's count of 8-byte integers, each 1.  0: nothing
 * was there.  Never blocks. */
uint64_t take_count(int fd);
void add_count(int fd, uint64_t count);
/* The same open file with O_NONBLOCK set or cleared, as any holder of it can. */
void set_nonblock(int fd, bool on);
bool get_nonblock(int fd);

bool is_readable(int fd);   /* now */
void wait_readable(int fd); /* asserts that it comes */
bool is_open(int fd);
bool is_eventfd(int fd);
bool at_end_of_file(int sock); /* the other end of @sock is closed; nothing is left to read */

/* A process: @function(@argument) in a child, whose return is the exit status. */
int run_child(int (*function)(void *argument), void *argument);
/* Reaps it and answers its status; kills it and fails when it takes longer than PATIENCE_MS. */
int join_child(int pid);

#endif
