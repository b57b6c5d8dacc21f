/* SPDX-License-Identifier: BSD-3-Clause */
#include "figure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SERIES_MAX 8

static bool first_case, first_round, first_goal;

struct figure_options figure_options(int argc, char **argv)
{
    struct figure_options options = {.build = argc > 2 ? argv[argc - 1] : NULL};

    options.quick = argc == 4 && strcmp(argv[2], "--quick") == 0;
    if (argc < 3 || argc > 4 || strcmp(argv[1], "--json") != 0 || (argc == 4 && !options.quick)) {
        fprintf(stderr, "usage: %s --json [--quick] BUILD\n", argv[0]);
        exit(2);
    }
    return options;
}

void figure_fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

void figure_skip(const char *why)
{
    printf("skipped: %s\n", why);
    exit(77);
}

double figure_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* The second one and those after it are set apart. */
static void comma(bool *first)
{
    fputs(*first ? "" : ", ", stdout);
    *first = false;
}

void figure_begin(const char *name, const char *title, const char *unit, const char *x_label)
{
    printf("{\"figure\": \"%s\", \"title\": \"%s\", \"unit\": \"%s\", ", name, title, unit);
    if (x_label) {
        printf("\"x_label\": \"%s\", ", x_label);
    }
    first_case = true;
}

void figure_counted(void)
{
    fputs("\"counted\": true, ", stdout);
}

void figure_end(const char *note)
{
    printf("]}], \"notes\": [\"%s\"]}\n", note);
    fflush(stdout);
}

static void next_case(void)
{
    fputs(first_case ? "\"cases\": [" : "]}", stdout);
    comma(&first_case);
}

void figure_case(const char *name)
{
    next_case();
    printf("{\"case\": \"%s\", ", name);
}

void figure_case_x(uint32_t x)
{
    next_case();
    printf("{\"case\": \"%u\", \"x\": %u, ", x, x);
}

void figure_rounds_begin(void)
{
    fputs("\"rounds\": [", stdout);
    first_round = true;
}

void figure_rounds_end(void)
{
    fputs("], \"goals\": [", stdout);
    first_goal = true;
}

void figure_round(const struct figure_series *series, const double *values, uint32_t count)
{
    comma(&first_round);
    for (uint32_t i = 0; i < count; i++) {
        printf("%s\"%s\": %.9g", i ? ", " : "{", series[i].name, values[i]);
    }
    fputs("}", stdout);
}

void figure_rounds(const struct figure_series *series, uint32_t count, uint32_t rounds)
{
    double values[SERIES_MAX];

    figure_rounds_begin();
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < count; i++) {
            uint32_t turn = round % 2 ? count - 1 - i : i;

            values[turn] = series[turn].measure(series[turn].user);
        }
        figure_round(series, values, count);
    }
    figure_rounds_end();
}

void figure_goal(const char *of, const char *to, double at_most)
{
    comma(&first_goal);
    printf("{\"of\": \"%s\", ", of);
    if (to) {
        printf("\"to\": \"%s\", ", to);
    }
    printf("\"at_most\": %g}", at_most);
}
