/* SPDX-License-Identifier: BSD-3-Clause */
#include "client-action.h"

#include "client-output.h"
#include "numbers.h"

#include <inttypes.h>
#include <libivflat/ivflat-trace.h>
#include <string.h>

#define MOST_READ 65536u /* bytes in one line */

static gboolean parse_id(const char *text, uint32_t *id, const char *what, char **problem)
{
    uint64_t value = 0;
    gboolean good = number_parse(text, 65535, &value);

    *id = (uint32_t)value;
    if (!good) {
        *problem = g_strdup_printf("\"%s\" is no %s: give a number from 0 to 65535", text, what);
    }
    return good;
}

static gboolean parse_amount(const char *text, uint64_t most, uint64_t *value, const char *what, char **problem)
{
    gboolean good = size_parse(text, most, value);

    if (!good) {
        *problem = g_strdup_printf("\"%s\" is no %s: give a number from 0 to %" PRIu64 ", 0x... for hexadecimal", text,
                                   what, most);
    }
    return good;
}

static struct action *copy_if(gboolean good, const struct action *action)
{
    return good ? g_memdup2(action, sizeof(*action)) : NULL;
}

struct action *action_ring(const char *peer, const char *vector, char **problem)
{
    struct action action = {.kind = ACTION_RING, .vector = ALL_VECTORS};
    gboolean good = parse_id(peer, &action.peer, "peer", problem);

    if (good && !g_str_equal(vector, "all")) {
        good = parse_id(vector, &action.vector, "vector", problem);
    }
    return copy_if(good, &action);
}

struct action *action_wait(const char *vector, char **problem)
{
    struct action action = {.kind = ACTION_WAIT};

    return copy_if(parse_id(vector, &action.vector, "vector", problem), &action);
}

struct action *action_read(const char *offset, const char *length, char **problem)
{
    struct action action = {.kind = ACTION_READ};

    return copy_if(parse_amount(offset, UINT64_MAX, &action.offset, "offset", problem) &&
                       parse_amount(length, MOST_READ, &action.length, "length", problem),
                   &action);
}

struct action *action_write(const char *offset, const char *text, char **problem)
{
    struct action action = {.kind = ACTION_WRITE, .length = strlen(text)};
    gboolean good = parse_amount(offset, UINT64_MAX, &action.offset, "offset", problem);

    action.text = good ? g_strdup(text) : NULL;
    return copy_if(good, &action);
}

void action_free(struct action *action)
{
    if (action) {
        g_free(action->text);
        g_free(action);
    }
}

static enum outcome ring_one(ivflat_device *device, uint32_t peer, uint32_t vector, char **problem)
{
    uint64_t before = ivflat_device_counter(device, IVFLAT_COUNT_RINGS_SENT);

    ivflat_device_write(device, IVFLAT_REG_DOORBELL, 4, (uint64_t)peer << 16 | vector);
    if (ivflat_device_counter(device, IVFLAT_COUNT_RINGS_SENT) == before) {
        *problem = g_strdup_printf("vector %u of peer %u is broken: it cannot be rung", vector, peer);
        return OUTCOME_WRONG;
    }
    say_rang(peer, vector);
    return OUTCOME_DONE;
}

static enum outcome ring(const struct action *action, ivflat_device *device, char **problem)
{
    uint32_t count = ivflat_device_peer_vectors(device, action->peer);
    uint32_t vector = action->vector == ALL_VECTORS ? 0 : action->vector;
    uint32_t last = action->vector == ALL_VECTORS ? count - 1 : vector;
    enum outcome outcome = OUTCOME_DONE;

    if (count == 0) {
        *problem = g_strdup_printf("peer %u is not there", action->peer);
        return OUTCOME_NOT_YET;
    }
    if (vector >= count) {
        *problem =
            g_strdup_printf("peer %u has no vector %u: its vectors are 0 to %u", action->peer, vector, count - 1);
        return OUTCOME_NOT_YET;
    }
    for (; vector <= last && outcome == OUTCOME_DONE; vector++) {
        outcome = ring_one(device, action->peer, vector, problem);
    }
    return outcome;
}

static enum outcome wait_for(const struct action *action, uint64_t *pending, char **problem)
{
    if (pending[action->vector] == 0) {
        *problem = g_strdup_printf("no interrupt came on vector %u", action->vector);
        return OUTCOME_NOT_YET;
    }
    pending[action->vector]--;
    return OUTCOME_DONE;
}

/* Where in the memory, or NULL: it is not all inside. */
static uint8_t *inside(const struct action *action, ivflat_device *device, char **problem)
{
    uint64_t size = ivflat_device_memory_size(device);

    if (action->offset > size || action->length > size - action->offset) {
        *problem =
            g_strdup_printf("%" PRIu64 " bytes at offset %" PRIu64 " are not inside the memory of %" PRIu64 " bytes",
                            action->length, action->offset, size);
        return NULL;
    }
    return (uint8_t *)ivflat_device_memory(device) + action->offset;
}

static enum outcome read_memory(const struct action *action, ivflat_device *device, char **problem)
{
    const uint8_t *from = inside(action, device, problem);
    uint8_t *copy;

    if (!from) {
        return OUTCOME_WRONG;
    }
    copy = g_malloc(action->length + 1); /* others write meanwhile: text and hex are to show the same bytes */
    memcpy(copy, from, action->length);
    say_read(action->offset, copy, action->length);
    g_free(copy);
    return OUTCOME_DONE;
}

static enum outcome write_memory(const struct action *action, ivflat_device *device, char **problem)
{
    uint8_t *to = inside(action, device, problem);

    if (!to) {
        return OUTCOME_WRONG;
    }
    memcpy(to, action->text, action->length);
    say_wrote(action->offset, action->length);
    return OUTCOME_DONE;
}

enum outcome action_do(const struct action *action, ivflat_device *device, uint64_t *pending, char **problem)
{
    switch (action->kind) {
    case ACTION_RING:
        return ring(action, device, problem);
    case ACTION_WAIT:
        return wait_for(action, pending, problem);
    case ACTION_READ:
        return read_memory(action, device, problem);
    default:
        return write_memory(action, device, problem);
    }
}
