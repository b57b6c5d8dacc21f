/* SPDX-License-Identifier: BSD-3-Clause */
/* A figure in the words of README.md, one JSON object on standard output: begin it, then for each case its name, its
 * rounds and its goals, then end it.  Names and sentences are ours: none has a character that JSON would escape. */
#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

#define FIGURE_ROUNDS 21

/* --json [--quick] BUILD: what each program here is called with; ends the program, with a word, for anything else. */
struct figure_options {
    bool quick;
    const char *build;
};
struct figure_options figure_options(int argc, char **argv);

/* @x_label: what the cases' x is, where they are to be plotted; else NULL. */
void figure_begin(const char *name, const char *title, const char *unit, const char *x_label);
void figure_counted(void); /* not a time: right after the beginning */
void figure_end(const char *note);

void figure_case(const char *name);
void figure_case_x(uint32_t x);

/* One that takes part: @measure answers its number of one round. */
struct figure_series {
    const char *name;
    double (*measure)(void *user);
    void *user;
};

/* They take turns, and turn the order around each time: who comes after whom matters, too. */
void figure_rounds(const struct figure_series *series, uint32_t count, uint32_t rounds);

/* The same in pieces, for who measures otherwise: begins and ends the rounds, and one of them. */
void figure_rounds_begin(void);
void figure_round(const struct figure_series *series, const double *values, uint32_t count);
void figure_rounds_end(void);

/* @of is to be at most @at_most, or so many of @to (NULL: itself). */
void figure_goal(const char *of, const char *to, double at_most);

/* Nanoseconds, of a clock that only goes forward. */
double figure_now(void);

/* Ends the program: "what: why", why being errno's. */
_Noreturn void figure_fail(const char *what);
/* Ends the program: this machine cannot. */
_Noreturn void figure_skip(const char *why);

#endif
