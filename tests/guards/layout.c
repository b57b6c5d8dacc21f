/* SPDX-License-Identifier: BSD-3-Clause */
/* The layout of the public structs, in numbers written by hand.  A field that moved, one that was forgotten here, and
 * padding, at the end or between, are each a fault: programs are out there with these numbers in them. */
#include <libivflat/ivflat-server.h>
#include <libivflat/ivflat-trace.h>
#include <libivflat/ivflat.h>

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct field {
    const char *name;
    size_t offset, size;           /* by hand, on LP64 */
    size_t real_offset, real_size; /* the compiler's */
};

#define FIELD(type, name, offset, size) #type "." #name, offset, size, offsetof(type, name), sizeof(((type *)0)->name)
#define COUNT(table)                    (sizeof(table) / sizeof((table)[0]))

#define CONFIG(name, offset, size) FIELD(ivflat_config, name, offset, size)
static const struct field config[] = {
    {CONFIG(struct_size, 0, 4)},     {CONFIG(max_vectors, 4, 4)},
    {CONFIG(memory_size, 8, 8)},     {CONFIG(no_interrupts, 16, 4)},
    {CONFIG(revision0, 20, 4)},      {CONFIG(no_mapping, 24, 4)},
    {CONFIG(require_sealed, 28, 4)}, {CONFIG(greeting_timeout_ms, 32, 4)},
    {CONFIG(reconnect_ms, 36, 4)},   {CONFIG(trusted_peers, 40, 4)},
    {CONFIG(reserved, 44, 4)},
};

#define HOOKS(name, offset, size) FIELD(ivflat_hooks, name, offset, size)
static const struct field hooks[] = {
    {HOOKS(struct_size, 0, 4)},
    {HOOKS(reserved, 4, 4)},
    {HOOKS(user, 8, 8)},
    {HOOKS(interrupt, 16, 8)},
    {HOOKS(line, 24, 8)},
    {HOOKS(memory_attached, 32, 8)},
    {HOOKS(link_changed, 40, 8)},
    {HOOKS(peer_changed, 48, 8)},
    {HOOKS(vector_added, 56, 8)},
    {HOOKS(vector_removed, 64, 8)},
    {HOOKS(doorbell_added, 72, 8)},
    {HOOKS(doorbell_removed, 80, 8)},
    {HOOKS(guest_error, 88, 8)},
    {HOOKS(log, 96, 8)},
    {HOOKS(trace, 104, 8)},
};

#define SERVER(name, offset, size) FIELD(ivflat_server_config, name, offset, size)
static const struct field server_config[] = {
    {SERVER(struct_size, 0, 4)},      {SERVER(vectors, 4, 4)},          {SERVER(memory_size, 8, 8)},
    {SERVER(socket_path, 16, 8)},     {SERVER(memory_name, 24, 8)},     {SERVER(memory_dir, 32, 8)},
    {SERVER(memory_file, 40, 8)},     {SERVER(huge_page, 48, 8)},       {SERVER(allow_uids, 56, 8)},
    {SERVER(allow_gids, 64, 8)},      {SERVER(allow_uid_count, 72, 4)}, {SERVER(allow_gid_count, 76, 4)},
    {SERVER(max_queue_bytes, 80, 8)}, {SERVER(max_queue, 88, 4)},       {SERVER(max_clients, 92, 4)},
    {SERVER(max_per_uid, 96, 4)},     {SERVER(no_interrupts, 100, 4)},  {SERVER(listen_fd, 104, 4)},
    {SERVER(socket_mode, 108, 4)},    {SERVER(socket_gid, 112, 4)},     {SERVER(ids, 116, 4)},
    {SERVER(keep_state, 120, 4)},     {SERVER(handed_fd, 124, 4)},  };

#define SEAT(name, offset, size) FIELD(ivflat_server_seat, name, offset, size)
static const struct field server_seat[] = {
    {SEAT(struct_size, 0, 4)}, {SEAT(id, 4, 4)},    {SEAT(socket_path, 8, 8)},
    {SEAT(listen_fd, 16, 4)},  {SEAT(keep, 20, 4)},
};

#define CLIENT(name, offset, size) FIELD(ivflat_server_client, name, offset, size)
static const struct field server_client[] = {
    {CLIENT(struct_size, 0, 4)}, {CLIENT(id, 4, 4)},       {CLIENT(pid, 8, 4)},   {CLIENT(uid, 12, 4)},
    {CLIENT(gid, 16, 4)},        {CLIENT(vectors, 20, 4)}, {CLIENT(sent, 24, 8)}, {CLIENT(waiting, 32, 8)},
    {CLIENT(received, 40, 8)},   {CLIENT(age_ms, 48, 8)},
};

#define SERVER_HOOKS(name, offset, size) FIELD(ivflat_server_hooks, name, offset, size)
static const struct field server_hooks[] = {
    {SERVER_HOOKS(struct_size, 0, 4)},
    {SERVER_HOOKS(reserved, 4, 4)},
    {SERVER_HOOKS(user, 8, 8)},
    {SERVER_HOOKS(client_connected, 16, 8)},
    {SERVER_HOOKS(client_joined, 24, 8)},
    {SERVER_HOOKS(client_left, 32, 8)},
    {SERVER_HOOKS(client_refused, 40, 8)},
    {SERVER_HOOKS(descriptor_added, 48, 8)},
    {SERVER_HOOKS(descriptor_removed, 56, 8)},
    {SERVER_HOOKS(log, 64, 8)},
};

static int differs(const char *name, const char *what, size_t want, size_t got)
{
    if (want == got) {
        return 0;
    }
    printf("%s: %s is %zu, programs out there have it at %zu\n", name, what, got, want);
    return 1;
}

/* Each field begins where the one before it ends, and the last one ends where the struct does. */
static int faults(const struct field *fields, size_t count, size_t want_size, size_t real_size)
{
    int bad = 0;
    size_t end = 0;

    for (size_t i = 0; i < count; i++) {
        bad += differs(fields[i].name, "its offset", fields[i].offset, fields[i].real_offset);
        bad += differs(fields[i].name, "its size", fields[i].size, fields[i].real_size);
        if (end != fields[i].real_offset) {
            printf("%s: padding, or a field that this test does not know, before it\n", fields[i].name);
            bad++;
        }
        end = fields[i].real_offset + fields[i].real_size;
    }
    if (end != real_size) {
        printf("%s: padding, or a field that this test does not know, after it\n", fields[count - 1].name);
        bad++;
    }
    return bad + differs(fields[0].name, "the struct's size", want_size, real_size);
}

/* Numbers that cross the border, and mean the same for ever. */
static const struct number {
    const char *name;
    int64_t value, want;
} numbers[] = {
#define NUMBER(name, want) #name, name, want
    {NUMBER(IVFLAT_OK, 0)},
    {NUMBER(IVFLAT_ERR_INVALID, -1)},
    {NUMBER(IVFLAT_ERR_BUSY, -2)},
    {NUMBER(IVFLAT_ERR_SYSTEM, -3)},
    {NUMBER(IVFLAT_ERR_PROTOCOL, -4)},
    {NUMBER(IVFLAT_ERR_CLOSED, -5)},
    {NUMBER(IVFLAT_ERR_MEMORY, -6)},
    {NUMBER(IVFLAT_ERR_REFUSED, -7)},
    {NUMBER(IVFLAT_ERR_TIMEOUT, -8)},
    {NUMBER(IVFLAT_ERR_NOMEM, -9)},
    {NUMBER(IVFLAT_LINK_DOWN, 0)},
    {NUMBER(IVFLAT_LINK_GREETING, 1)},
    {NUMBER(IVFLAT_LINK_READY, 2)},
    {NUMBER(IVFLAT_LOG_ERROR, 1)},
    {NUMBER(IVFLAT_LOG_WARNING, 2)},
    {NUMBER(IVFLAT_LOG_INFO, 3)},
    {NUMBER(IVFLAT_LOG_DEBUG, 4)},
    {NUMBER(IVFLAT_MMIO_SIZE, 16)},
    {NUMBER(IVFLAT_REG_INTRMASK, 0)},
    {NUMBER(IVFLAT_REG_INTRSTATUS, 4)},
    {NUMBER(IVFLAT_REG_IVPOSITION, 8)},
    {NUMBER(IVFLAT_REG_DOORBELL, 12)},
    {NUMBER(IVFLAT_TRACE_LINK, 1)},
    {NUMBER(IVFLAT_TRACE_MESSAGE, 2)},
    {NUMBER(IVFLAT_TRACE_MEMORY, 3)},
    {NUMBER(IVFLAT_TRACE_VECTOR_ADDED, 4)},
    {NUMBER(IVFLAT_TRACE_VECTOR_REFUSED, 5)},
    {NUMBER(IVFLAT_TRACE_PEER_LEFT, 6)},
    {NUMBER(IVFLAT_TRACE_READ, 7)},
    {NUMBER(IVFLAT_TRACE_WRITE, 8)},
    {NUMBER(IVFLAT_TRACE_BAD_ACCESS, 9)},
    {NUMBER(IVFLAT_TRACE_RING, 10)},
    {NUMBER(IVFLAT_TRACE_RING_NO_PEER, 11)},
    {NUMBER(IVFLAT_TRACE_RING_NO_VECTOR, 12)},
    {NUMBER(IVFLAT_TRACE_RING_FAILED, 13)},
    {NUMBER(IVFLAT_TRACE_INTERRUPT, 14)},
    {NUMBER(IVFLAT_TRACE_RESET, 15)},
    {NUMBER(IVFLAT_COUNT_RINGS_SENT, 0)},
    {NUMBER(IVFLAT_COUNT_RINGS_IGNORED, 1)},
    {NUMBER(IVFLAT_COUNT_RINGS_RECEIVED, 2)},
    {NUMBER(IVFLAT_COUNT_MESSAGES, 3)},
    {NUMBER(IVFLAT_COUNT_LINK_LOSSES, 4)},
    {NUMBER(IVFLAT_COUNT_BAD_ACCESSES, 5)},
    {NUMBER(IVFLAT_COUNT_VECTORS_REFUSED, 6)},
    {NUMBER(IVFLAT_NOBODY_KNOWN, 4294967295)},
    {NUMBER(IVFLAT_IDS_ONCE, 0)},
    {NUMBER(IVFLAT_IDS_LOWEST, 1)},
    {NUMBER(IVFLAT_LEFT_CLOSED, 1)},
    {NUMBER(IVFLAT_LEFT_BROKEN, 2)},
    {NUMBER(IVFLAT_LEFT_SLOW, 3)},
    {NUMBER(IVFLAT_LEFT_LOUD, 4)},
    {NUMBER(IVFLAT_LEFT_DROPPED, 5)},
    {NUMBER(IVFLAT_LEFT_UNSURE, 6)},
    {NUMBER(IVFLAT_REFUSED_HOOK, 1)},
    {NUMBER(IVFLAT_REFUSED_USER, 2)},
    {NUMBER(IVFLAT_REFUSED_CLIENTS, 3)},
    {NUMBER(IVFLAT_REFUSED_PER_UID, 4)},
    {NUMBER(IVFLAT_REFUSED_ID, 5)},
    {NUMBER(IVFLAT_REFUSED_DESCRIPTORS, 6)},
    {NUMBER(IVFLAT_SERVER_COUNT_JOINED, 0)},
    {NUMBER(IVFLAT_SERVER_COUNT_LEFT, 1)},
    {NUMBER(IVFLAT_SERVER_COUNT_DROPPED, 2)},
    {NUMBER(IVFLAT_SERVER_COUNT_REFUSED, 3)},
    {NUMBER(IVFLAT_SERVER_COUNT_MESSAGES, 4)},
    {NUMBER(IVFLAT_SERVER_COUNT_RESTARTS, 5)},
};

static int number_faults(void)
{
    int bad = 0;

    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (numbers[i].value != numbers[i].want) {
            printf("%s is %" PRId64 ", programs out there have %" PRId64 "\n", numbers[i].name, numbers[i].value,
                   numbers[i].want);
            bad++;
        }
    }
    return bad;
}

/* The same check of a struct with each kind of fault. */
struct crooked {
    uint32_t moved, first, widened;
    uint64_t last;
    uint32_t forgotten;
};
static const struct field crooked[] = {
    {FIELD(struct crooked, first, 0, 4)},
    {FIELD(struct crooked, widened, 8, 2)},
    {FIELD(struct crooked, last, 12, 8)},
};

static int self_test(void)
{
    /* first: moved, and a field before it; widened: its size; last: moved, and padding; the end; the size. */
    int seen = faults(crooked, COUNT(crooked), 24, sizeof(struct crooked));

    printf("seen %d of the 7 faults\n", seen);
    return seen != 7;
}

int main(int argc, char **argv)
{
    if (sizeof(void *) != 8 || sizeof(long) != 8) {
        puts("skipped: the numbers are those of 64-bit machines");
        return 77;
    }
    if (argc > 1 && strcmp(argv[1], "--self-test") == 0) {
        return self_test();
    }
    return faults(config, COUNT(config), 48, sizeof(ivflat_config)) +
           faults(hooks, COUNT(hooks), 112, sizeof(ivflat_hooks)) +
           faults(server_config, COUNT(server_config), 128, sizeof(ivflat_server_config)) +
           faults(server_seat, COUNT(server_seat), 24, sizeof(ivflat_server_seat)) +
           faults(server_client, COUNT(server_client), 56, sizeof(ivflat_server_client)) +
           faults(server_hooks, COUNT(server_hooks), 72, sizeof(ivflat_server_hooks)) + number_faults();
}
