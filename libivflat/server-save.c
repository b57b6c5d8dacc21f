/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-save.h"

#include "error.h"
#include "fdio.h"
#include "server-hooks.h"

#include <inttypes.h>
#include <string.h>

/* Names -------------------------------------------------------------------------------------------------------------
 * Short ones: a manager of services hands all of them on in one environment variable. */

uint64_t ivf_save_keys(ivflat_server *server, uint32_t count)
{
    uint64_t first = server->keeper.next_key;

    server->keeper.next_key += count;
    return first;
}

char *ivf_save_name(uint64_t key)
{
    char digits[16];
    uint32_t at = sizeof(digits) - 1;

    digits[at] = '\0';
    do {
        digits[--at] = "0123456789abcdefghijklmnopqrstuvwxyz"[key % 36];
        key /= 36;
    } while (key > 0);
    return g_strconcat("+", digits + at, NULL);
}

uint64_t ivf_save_key(const char *name)
{
    char *end = NULL;
    uint64_t key = name[0] == '+' && g_ascii_isalnum(name[1]) ? g_ascii_strtoull(name + 1, &end, 36) : 0;

    return end && *end == '\0' ? key : 0;
}

/* Descriptors ----------------------------------------------------------------------------------------------------- */

static bool is_kept(const ivflat_server *server)
{
    return server->keeper.on && server->keeper.map.fd >= 0;
}

void ivf_save_added(ivflat_server *server, uint64_t key, int fd)
{
    char *name = ivf_save_name(key);

    if (is_kept(server)) {
        ivf_server_tell_stored(server, name, fd);
    }
    g_free(name);
}

void ivf_save_announced(ivflat_server *server, const struct ivf_announcement *announcement)
{
    for (uint32_t i = 0; i < announcement->count; i++) {
        ivf_save_added(server, announcement->key + i, announcement->fds[i]);
    }
}

void ivf_save_gone(ivflat_server *server, uint64_t key)
{
    g_array_append_val(server->keeper.gone, key);
}

static void tell_gone(ivflat_server *server)
{
    GArray *gone = server->keeper.gone;

    for (uint32_t i = 0; is_kept(server) && i < gone->len; i++) {
        char *name = ivf_save_name(g_array_index(gone, uint64_t, i));

        ivf_server_tell_stored(server, name, -1);
        g_free(name);
    }
    g_array_set_size(gone, 0);
}

/* The record ------------------------------------------------------------------------------------------------------ */

static void put(GByteArray *body, const void *bytes, size_t count)
{
    g_byte_array_append(body, bytes, (guint)count);
}

static void put_doors(GByteArray *body, const ivflat_server *server)
{
    for (uint32_t i = 0; i < server->doors->len; i++) {
        const struct ivf_door *door = g_ptr_array_index(server->doors, i);
        struct ivf_record_door record = {
            .key = door->listener < 0 ? 0 : door->key,
            .item = door->item ? door->item->serial : 0,
            .device = door->file.device,
            .inode = door->file.inode,
            .id = door->id,
            .keep = door->keep,
        };

        g_strlcpy(record.path, door->path ? door->path : "", sizeof(record.path));
        put(body, &record, sizeof(record));
    }
}

/* Each announcement once, though several items may tell of it.  Answers how many. */
static uint32_t put_people(GByteArray *body, const ivflat_server *server)
{
    GHashTable *seen = g_hash_table_new(NULL, NULL);
    uint32_t count = 0;

    for (GList *link = server->news.items.head; link; link = link->next) {
        const struct ivf_item *item = link->data;
        const struct ivf_announcement *person = item->announcement;

        if (person && g_hash_table_add(seen, item->announcement)) {
            struct ivf_record_person record = {.key = person->key, .id = person->id, .count = person->count};

            put(body, &record, sizeof(record));
            count++;
        }
    }
    g_hash_table_unref(seen);
    return count;
}

static void put_items(GByteArray *body, const ivflat_server *server)
{
    for (GList *link = server->news.items.head; link; link = link->next) {
        const struct ivf_item *item = link->data;
        struct ivf_record_item record = {
            .serial = item->serial,
            .left = item->left,
            .person = item->announcement ? item->announcement->key : 0,
            .kind = item->kind,
            .id = item->id,
        };

        put(body, &record, sizeof(record));
    }
}

static struct ivf_record_client record_of(const ivflat_server *server, const struct ivf_client *client)
{
    guint door = 0;

    g_ptr_array_find(server->doors, client->door, &door);
    return (struct ivf_record_client){
        .key = client->key,
        .person = client->announcement->key,
        .item = client->item->serial,
        .birth = client->reader.birth,
        .next = client->reader.item ? client->reader.item->serial : 0,
        .greeting = client->reader.greeting,
        .sent = client->sent,
        .received = client->received,
        .since = client->since,
        .id = client->id,
        .door = door,
        .told = client->reader.told,
        .greeted = client->greeted,
        .uid = client->who.uid,
        .gid = client->who.gid,
        .pid = client->who.pid,
    };
}

/* Those that are to go, and ourselves, stay behind.  Answers how many do not. */
static uint32_t put_clients(GByteArray *body, const ivflat_server *server)
{
    uint32_t count = 0;

    for (GList *link = server->all.head; link; link = link->next) {
        const struct ivf_client *client = link->data;

        if (client->state != IVF_CLIENT_DOOMED && client->door->listener >= 0) {
            struct ivf_record_client record = record_of(server, client);

            put(body, &record, sizeof(record));
            count++;
        }
    }
    return count;
}

static GByteArray *write_record(const ivflat_server *server)
{
    GByteArray *body = g_byte_array_new();
    struct ivf_record_head head = {
        .memory_size = server->memory_size,
        .serial = server->news.serial,
        .next_key = server->keeper.next_key,
        .vectors = server->vectors,
        .next_id = server->ids.next,
        .doors = server->doors->len,
        .items = server->news.items.length,
    };

    memcpy(head.counters, server->counters, sizeof(head.counters));
    put(body, &head, sizeof(head));
    put_doors(body, server);
    head.people = put_people(body, server);
    put_items(body, server);
    head.clients = put_clients(body, server);
    memcpy(body->data, &head, sizeof(head)); /* now that it is known */
    return body;
}

static int write_now(ivflat_server *server)
{
    GByteArray *body = write_record(server);
    int error = ivf_map_write(&server->keeper.map, body);

    g_byte_array_unref(body);
    return error;
}

/* When ------------------------------------------------------------------------------------------------------------ */

int ivf_save_begin(ivflat_server *server)
{
    int error = ivf_map_create(&server->keeper.map);

    if (error == 0) {
        ivf_server_tell_stored(server, IVF_STATE_NAME, server->keeper.map.fd);
        server->keeper.changed = true;
    }
    return error;
}

void ivf_save_changed(ivflat_server *server)
{
    server->keeper.changed = true;
}

/* All descriptors ------------------------------------------------------------------------------------------------- */

typedef void visit_fn(ivflat_server *server, const char *name, int fd, void *user);

static void visit_key(ivflat_server *server, uint64_t key, int fd, visit_fn *visit, void *user)
{
    char *name = ivf_save_name(key);

    if (fd >= 0) {
        visit(server, name, fd, user);
    }
    g_free(name);
}

static void visit_people(ivflat_server *server, visit_fn *visit, void *user)
{
    for (GList *link = server->news.items.head; link; link = link->next) {
        const struct ivf_item *item = link->data;

        for (uint32_t i = 0; item->announcement && i < item->announcement->count; i++) {
            visit_key(server, item->announcement->key + i, item->announcement->fds[i], visit, user);
        }
    }
}

/* Those that another process is to have: not of clients that are to go, and not our own. */
static void visit_all(ivflat_server *server, visit_fn *visit, void *user)
{
    if (server->keeper.map.fd >= 0) {
        visit(server, IVF_STATE_NAME, server->keeper.map.fd, user);
    }
    visit_key(server, IVF_KEY_MEMORY, server->memory, visit, user);
    for (uint32_t i = 0; i < server->doors->len; i++) {
        const struct ivf_door *door = g_ptr_array_index(server->doors, i);

        visit_key(server, door->key, door->listener, visit, user);
    }
    for (GList *link = server->all.head; link; link = link->next) {
        const struct ivf_client *client = link->data;

        if (client->door->listener >= 0) {
            visit_key(server, client->key, client->sock, visit, user);
        }
    }
    visit_people(server, visit, user);
}

static void forget(ivflat_server *server, const char *name, int fd, void *user)
{
    (void)fd;
    (void)user;
    ivf_server_tell_stored(server, name, -1);
}

void ivf_save_now(ivflat_server *server)
{
    int error = is_kept(server) && server->keeper.changed ? write_now(server) : 0;

    if (error) { /* what is there is older than the truth: worse than nothing */
        ivf_server_log(server, IVFLAT_LOG_WARNING, "cannot keep the state any more, which a crash would lose: %s",
                       g_strerror(-error));
        tell_gone(server);
        visit_all(server, forget, NULL);
        ivf_map_close(&server->keeper.map);
        server->keeper.on = false;
    }
    server->keeper.changed = false;
    tell_gone(server);
}

void ivf_save_end(ivflat_server *server)
{
    if (is_kept(server)) {
        visit_all(server, forget, NULL);
        tell_gone(server);
    }
}

static void list(ivflat_server *server, const char *name, int fd, void *text)
{
    (void)server;
    ivf_map_inherit(fd, true);
    g_string_append_printf(text, "%d %s\n", fd, name);
}

int ivf_save_hand_over(ivflat_server *server)
{
    GString *text;
    int result = server->keeper.map.fd >= 0 ? 0 : ivf_map_create(&server->keeper.map);

    if (result == 0) {
        for (GList *link = server->all.head; link; link = link->next) {
            const struct ivf_client *client = link->data;

            ivf_map_sent(&server->keeper.map, client->id, client->sent);
        }
        result = write_now(server);
    }
    if (result < 0) {
        return result;
    }
    text = g_string_new(NULL);
    server->keeper.lent = true;
    visit_all(server, list, text);
    result = ivf_map_write_list(text->str);
    g_string_free(text, TRUE);
    return result;
}

static void take_back(ivflat_server *server, const char *name, int fd, void *user)
{
    (void)server;
    (void)name;
    (void)user;
    ivf_map_inherit(fd, false);
}

void ivf_save_take_back(ivflat_server *server)
{
    if (server->keeper.lent) {
        server->keeper.lent = false;
        visit_all(server, take_back, NULL);
    }
}
