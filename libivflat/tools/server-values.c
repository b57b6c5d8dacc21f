/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-values.h"

#include "numbers.h"

#include <inttypes.h>
#include <libivflat/ivflat-server.h>
#include <stdarg.h>
#include <string.h>

#define MOST_SIZE ((uint64_t)1 << 62)

int usage_error(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_printerr("ivflat-server: %s\n", text);
    g_free(text);
    return EXIT_USAGE;
}

int take_size(struct server_options *options, const char *text)
{
    uint64_t any;

    if (size_parse(text, MOST_SIZE, &options->size) && options->size > 0) {
        return GO_ON;
    }
    if (size_parse(text, UINT64_MAX, &any) && any > 0) {
        return usage_error("--size=%s is too large: at most %" PRIu64 " bytes is right", text, MOST_SIZE);
    }
    return usage_error("--size=%s is no size: give bytes from 1 up, as in 65536, 64K, 4M or 1G", text);
}

int take_vectors(struct server_options *options, const char *text)
{
    uint64_t vectors;

    if (!number_parse(text, IVFLAT_MAX_VECTORS, &vectors)) {
        return usage_error("--vectors=%s is no number of vectors: give one from 0 to %u", text, IVFLAT_MAX_VECTORS);
    }
    options->vectors = (uint32_t)vectors;
    return GO_ON;
}

/* A bound: 0 would be none of those that the library knows. */
int take_bound(uint32_t *bound, const char *option, uint32_t most, const char *text)
{
    uint64_t value;

    if (!number_parse(text, most, &value) || value == 0) {
        return usage_error("%s=%s is no bound: give a number from 1 to %u", option, text, most);
    }
    *bound = (uint32_t)value;
    return GO_ON;
}

int take_bytes(uint64_t *bytes, const char *option, const char *text)
{
    if (size_parse(text, MOST_SIZE, bytes) && *bytes > 0) {
        return GO_ON;
    }
    return usage_error("%s=%s is no size: give bytes from 1 up, as in 65536, 64K or 4M", option, text);
}

int take_huge_page(struct server_options *options, const char *text)
{
    if (size_parse(text, MOST_SIZE, &options->huge_page) && options->huge_page > 4096 &&
        (options->huge_page & (options->huge_page - 1)) == 0) {
        return GO_ON;
    }
    return usage_error("--hugetlb=%s is no size of huge pages: give 2M or 1G, where the machine has no others", text);
}

int take_mode(struct server_options *options, const char *text)
{
    guint64 mode;

    if (!g_ascii_string_to_unsigned(text, 8, 1, 0777, &mode, NULL)) {
        return usage_error("--mode=%s are no permissions: give octal ones from 1 to 777, as in 660", text);
    }
    options->mode = (uint32_t)mode;
    return GO_ON;
}

int take_group(uint32_t *gid, const char *option, const char *text)
{
    return group_parse(text, gid) ? GO_ON : usage_error("%s=%s: there is no such group", option, text);
}

int take_allowed_user(struct server_options *options, const char *text)
{
    uint32_t uid;

    if (!user_parse(text, &uid)) {
        return usage_error("--allow-uid=%s: there is no such user", text);
    }
    g_array_append_val(options->allow_uids, uid);
    return GO_ON;
}

int take_allowed_group(struct server_options *options, const char *text)
{
    uint32_t gid;
    int status = take_group(&gid, "--allow-gid", text);

    if (status == GO_ON) {
        g_array_append_val(options->allow_gids, gid);
    }
    return status;
}

int take_ids(struct server_options *options, const char *text)
{
    if (!g_str_equal(text, "once") && !g_str_equal(text, "lowest")) {
        return usage_error("--ids=%s is no way to give ids: once and lowest are", text);
    }
    options->ids = g_str_equal(text, "lowest") ? IVFLAT_IDS_LOWEST : IVFLAT_IDS_ONCE;
    return GO_ON;
}

/* ID=SOCKET, and ",keep" behind it. */
int take_peer(struct server_options *options, const char *text)
{
    const char *equals = strchr(text, '=');
    char *number = g_strndup(text, equals ? (gsize)(equals - text) : strlen(text));
    uint64_t id = 0;
    gboolean good = number_parse(number, IVFLAT_MAX_PEERS - 1, &id) && equals && equals[1];
    struct server_peer peer = {.id = (uint32_t)id, .keep = g_str_has_suffix(text, ",keep")};

    g_free(number);
    if (!good) {
        return usage_error("--peer=%s is no peer: give ID=SOCKET, with an id from 0 to %d, or ID=SOCKET,keep", text,
                           IVFLAT_MAX_PEERS - 1);
    }
    peer.socket = g_strndup(equals + 1, strlen(equals + 1) - (peer.keep ? strlen(",keep") : 0));
    g_array_append_val(options->peers, peer);
    return GO_ON;
}

int take_host_peer(struct server_options *options, const char *text)
{
    uint64_t id;

    if (!number_parse(text, IVFLAT_MAX_PEERS - 1, &id)) {
        return usage_error("--host-peer=%s is no id: give one from 0 to %d", text, IVFLAT_MAX_PEERS - 1);
    }
    options->host_peer = (int32_t)id;
    return GO_ON;
}
