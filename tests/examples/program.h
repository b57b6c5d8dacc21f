/* SPDX-License-Identifier: BSD-3-Clause */
/* A program that runs beside the test, and what it says, a line at a time; standard error is part of it. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <sys/types.h>

struct program {
    pid_t pid;
    int out;
    char line[512]; /* the last one that was read, without its end */
};

/* @arguments ends in a NULL; the first is the program.  Killed at the test's end if it still runs. */
struct program *program_start(const char *const *arguments);
#define program_run(...) program_start((const char *const[]){__VA_ARGS__, NULL})

/* The next line; fails when none comes in PATIENCE_MS.  NULL: it has closed its output. */
const char *program_line(struct program *program);

/* The next line is @text; contains @text. */
void program_says(struct program *program, const char *text);
void program_tells(struct program *program, const char *text);

/* Sends @number (0: nothing) and answers the exit status, or 128 and the signal. */
int program_end(struct program *program, int number);

/* Nanoseconds of processor time that it has used. */
long long program_cpu_ns(const struct program *program);

/* What the environment says is where: fails when it says nothing. */
const char *where(const char *name);

#endif
