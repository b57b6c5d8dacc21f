/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-restore.h"

#include "fdio.h"
#include "region.h"
#include "server-clients.h"
#include "server-doors.h"
#include "server-handed.h"
#include "server-hooks.h"
#include "server-io.h"
#include "server-save.h"

#include <string.h>

/* What was handed on, while it is read. */
struct legacy {
    ivflat_server *server;
    struct ivf_handed handed;
    GByteArray *body;   /* the record */
    uint32_t at;        /* of its bytes */
    GHashTable *people; /* key -> announcement, ours until the end */
    GHashTable *broken; /* of these, those that lack an eventfd */
    GHashTable *items;  /* serial -> item */
    struct ivf_record_head head;
};

/* The record ------------------------------------------------------------------------------------------------------
 * Its sum was right, so that it is what a server wrote; all the same nothing is believed that would do harm. */

static bool get(struct legacy *legacy, void *record, uint32_t count)
{
    if (count > legacy->body->len - legacy->at) {
        return false;
    }
    memcpy(record, legacy->body->data + legacy->at, count);
    legacy->at += count;
    return true;
}

static bool get_head(struct legacy *legacy)
{
    return get(legacy, &legacy->head, sizeof(legacy->head)) && legacy->head.doors > 0 &&
           legacy->head.next_id < IVFLAT_MAX_PEERS;
}

/* After the doors: those of another configuration are closed, and their files removed. */
static bool get_memory(struct legacy *legacy)
{
    const struct ivf_record_head *head = &legacy->head;
    ivflat_server *server = legacy->server;
    uint64_t size;
    bool sealed;

    if (head->vectors != server->vectors || head->memory_size != server->memory_size) {
        return false;
    }
    memcpy(server->counters, head->counters, sizeof(head->counters));
    server->keeper.next_key = head->next_key;
    server->news.serial = head->serial;
    server->memory = ivf_handed_take_key(&legacy->handed, IVF_KEY_MEMORY);
    return ivf_region_check(server->memory, server->memory_size, false, &size, &sealed) == 0;
}

/* Keys that were given, and not the memory's. */
static bool are_keys(const struct legacy *legacy, uint64_t key, uint32_t count)
{
    return key > IVF_KEY_MEMORY && key <= legacy->head.next_key && count <= legacy->head.next_key - key;
}

/* The first one is for all, and each of the others has an id that no other has. */
static bool is_door(const struct legacy *legacy, const struct ivf_record_door *record)
{
    bool is_first = legacy->server->doors->len == 0;

    if (is_first || record->id == -1) {
        return record->id == -1 && record->item == 0 && record->keep == 0 && (record->key || !is_first) &&
               (!record->key || are_keys(legacy, record->key, 1));
    }
    return record->id >= 0 && record->id < (int32_t)IVFLAT_MAX_PEERS &&
           !ivf_doors_find(legacy->server, (uint32_t)record->id) && record->keep <= 1 &&
           (record->keep || !record->item) && (!record->key || are_keys(legacy, record->key, 1));
}

/* Its socket does not block, whatever was done to it meanwhile: a manager of services makes it block at each start. */
static bool get_door(struct legacy *legacy)
{
    struct ivf_record_door record;
    struct ivf_door *door;

    if (!get(legacy, &record, sizeof(record)) || !is_door(legacy, &record)) {
        return false;
    }
    door = g_new0(struct ivf_door, 1);
    g_ptr_array_add(legacy->server->doors, door);
    door->key = record.key;
    door->listener = record.key ? ivf_handed_take_key(&legacy->handed, record.key) : -1;
    door->id = record.id;
    door->keep = record.keep;
    door->restored = true;
    door->file = (struct ivf_file){.device = record.device, .inode = record.inode};
    door->path = record.path[0] ? g_strndup(record.path, sizeof(record.path) - 1) : NULL;
    door->item_serial = record.item;
    if (record.id >= 0) {
        ivf_ids_reserve(&legacy->server->ids, (uint32_t)record.id);
    }
    return !record.key || (door->listener >= 0 && ivf_io_check_listener(door->listener) == 0);
}

/* An eventfd that was not kept: who is still to be told of it gets one that nobody has, and then that its owner left. */
static bool take_eventfd(struct legacy *legacy, struct ivf_announcement *person, uint32_t vector)
{
    person->fds[vector] = ivf_handed_take_key(&legacy->handed, person->key + vector);
    if (person->fds[vector] < 0) {
        g_hash_table_add(legacy->broken, person);
        person->fds[vector] = ivf_fd_event();
    }
    return person->fds[vector] >= 0;
}

static bool get_person(struct legacy *legacy)
{
    struct ivf_record_person record;
    struct ivf_announcement *person;
    bool good = true;

    if (!get(legacy, &record, sizeof(record)) || record.id >= IVFLAT_MAX_PEERS ||
        record.count != legacy->server->vectors || !are_keys(legacy, record.key, record.count) ||
        g_hash_table_contains(legacy->people, &record.key)) {
        return false;
    }
    person = ivf_announcement_empty(record.id, record.count);
    person->key = record.key;
    person->gone = legacy->server->keeper.gone;
    g_hash_table_insert(legacy->people, &person->key, person);
    for (uint32_t i = 0; i < record.count && good; i++) {
        good = take_eventfd(legacy, person, i);
    }
    return good;
}

/* They go up, and so are never twice. */
static bool is_next(const struct legacy *legacy, uint64_t serial)
{
    const GList *last = legacy->server->news.items.tail;

    return serial <= legacy->head.serial && serial > (last ? ((const struct ivf_item *)last->data)->serial : 0);
}

static bool get_item(struct legacy *legacy)
{
    struct ivf_record_item record;
    struct ivf_announcement *person;
    struct ivf_item *item;

    if (!get(legacy, &record, sizeof(record)) || record.kind > IVF_ITEM_OWN || record.id >= IVFLAT_MAX_PEERS ||
        !is_next(legacy, record.serial)) {
        return false;
    }
    person = record.person ? g_hash_table_lookup(legacy->people, &record.person) : NULL;
    if (!person != (record.kind == IVF_ITEM_LEAVE) || (person && person->id != record.id)) {
        return false;
    }
    item = ivf_news_put(&legacy->server->news, (enum ivf_item_kind)record.kind, record.id, record.serial, person);
    item->left = record.left;
    return g_hash_table_insert(legacy->items, &item->serial, item);
}

static struct ivf_item *item_of(const struct legacy *legacy, uint64_t serial)
{
    return serial ? g_hash_table_lookup(legacy->items, &serial) : NULL;
}

/* Somebody is, or was, at @door by @item. */
static bool is_place(const struct ivf_door *door, const struct ivf_item *item)
{
    return item && item->kind == IVF_ITEM_JOIN && item->left == 0 && (door->id < 0 || door->id == (int32_t)item->id) &&
           (!door->keep || door->item == item);
}

/* Its id, its door and its item belong together, and nobody else has them. */
static bool is_at_home(const struct legacy *legacy, const struct ivf_record_client *record)
{
    const ivflat_server *server = legacy->server;
    const struct ivf_item *item = item_of(legacy, record->item);
    const struct ivf_announcement *person = g_hash_table_lookup(legacy->people, &record->person);
    const struct ivf_door *door =
        record->door < server->doors->len ? g_ptr_array_index(server->doors, record->door) : NULL;

    return record->id < IVFLAT_MAX_PEERS && !ivf_ids_holder(&server->ids, record->id) && door && door->listener >= 0 &&
           (door->id >= 0 || !ivf_doors_find(server, record->id)) && is_place(door, item) && item->id == record->id &&
           item->announcement == person;
}

static bool is_sound(const struct legacy *legacy, const struct ivf_record_client *record)
{
    const struct ivf_item *next = item_of(legacy, record->next);

    return are_keys(legacy, record->key, 1) && is_at_home(legacy, record) && record->greeted <= 3 &&
           (record->next ? next && record->told < ivf_item_messages(next) : record->told == 0);
}

static bool get_client(struct legacy *legacy)
{
    struct ivf_announcement *person;
    struct ivf_record_client record;
    struct ivf_client *client;
    int sock;

    if (!get(legacy, &record, sizeof(record)) || !is_sound(legacy, &record)) {
        return false;
    }
    sock = ivf_handed_take_key(&legacy->handed, record.key);
    person = g_hash_table_lookup(legacy->people, &record.person);
    client = ivf_client_new(sock, ivf_announcement_ref(person));
    client->key = record.key;
    client->who = (struct ivf_identity){.pid = record.pid, .uid = record.uid, .gid = record.gid};
    client->item = item_of(legacy, record.item);
    client->door = g_ptr_array_index(legacy->server->doors, record.door);
    client->since = record.since;
    client->sent = record.sent;
    client->received = record.received;
    client->greeted = record.greeted;
    client->reader = (struct ivf_reader){.birth = record.birth,
                                         .own = person,
                                         .item = item_of(legacy, record.next),
                                         .told = record.told,
                                         .greeting = record.greeting};
    ivf_reader_resume(&client->reader);
    return ivf_clients_restore(legacy->server, client) == 0;
}

static bool get_all(struct legacy *legacy, uint32_t count, bool (*get_one)(struct legacy *legacy))
{
    for (; count > 0; count--) {
        if (!get_one(legacy)) {
            return false;
        }
    }
    return true;
}

/* What the record leads to ---------------------------------------------------------------------------------------- */

/* It was sent more since the record was written; where nobody knows how much, it cannot go on. */
static bool catch_up(struct legacy *legacy, struct ivf_client *client)
{
    const struct ivf_progress *progress = &legacy->server->keeper.map.progress[client->id];
    uint64_t more = progress->sent - client->sent;

    if (client->sock < 0) {
        return true;
    }
    if (progress->sent < client->sent || more > ivf_client_waiting(client)) {
        return false;
    }
    ivf_client_advance(client, &legacy->server->news, (uint32_t)more);
    if (progress->tried != progress->sent) {
        ivf_clients_drop(legacy->server, client, IVFLAT_LEFT_UNSURE,
                         g_strdup("the server was killed while it sent to it, and what it has cannot be told"));
    }
    return true;
}

static bool catch_up_all(struct legacy *legacy)
{
    for (GList *link = legacy->server->all.head; link; link = link->next) {
        if (!catch_up(legacy, link->data)) {
            return false;
        }
    }
    return true;
}

static bool set_seats(struct legacy *legacy)
{
    for (uint32_t i = 0; i < legacy->server->doors->len; i++) {
        struct ivf_door *door = g_ptr_array_index(legacy->server->doors, i);

        door->item = item_of(legacy, door->item_serial);
        if (door->item_serial && !is_place(door, door->item)) {
            return false;
        }
    }
    return ivf_doors_watch(legacy->server) == 0;
}

/* Who lacks an eventfd cannot be rung any more, and leaves, as who lacks the connection.  Not before all are read: what
 * they alone wait for is let go of. */
static void drop_broken(struct legacy *legacy)
{
    for (GList *link = legacy->server->all.head; link; link = link->next) {
        struct ivf_client *client = link->data;

        if (client->sock < 0) {
            ivf_clients_drop(legacy->server, client, IVFLAT_LEFT_UNSURE,
                             g_strdup("its connection was not kept while the server was away"));
        } else if (g_hash_table_contains(legacy->broken, client->announcement)) {
            ivf_clients_drop(legacy->server, client, IVFLAT_LEFT_UNSURE,
                             g_strdup("not all of its eventfds were kept while the server was away"));
        }
    }
    for (uint32_t i = 0; i < legacy->server->doors->len; i++) {
        struct ivf_door *door = g_ptr_array_index(legacy->server->doors, i);

        if (door->item && g_hash_table_contains(legacy->broken, door->item->announcement)) {
            struct ivf_client *client = ivf_ids_holder(&legacy->server->ids, (uint64_t)door->id);

            door->item = NULL;
            if (client) { /* what is kept is gone, and is told so at once */
                client->item = NULL;
            }
        }
    }
}

static bool get_record(struct legacy *legacy)
{
    const struct ivf_record_head *head = &legacy->head;

    return get_head(legacy) && get_all(legacy, head->doors, get_door) && get_memory(legacy) &&
           get_all(legacy, head->people, get_person) && get_all(legacy, head->items, get_item) && set_seats(legacy) &&
           get_all(legacy, head->clients, get_client) && catch_up_all(legacy);
}

/* Why not; NULL: it went well. */
static const char *restore(struct legacy *legacy)
{
    int state = ivf_handed_take(&legacy->handed, IVF_STATE_NAME);

    if (state < 0) {
        return "there is no state among what was handed on";
    }
    if (ivf_map_open(&legacy->server->keeper.map, state) < 0) {
        return "what was handed on as the state is none";
    }
    legacy->body = ivf_map_read(&legacy->server->keeper.map);
    if (!legacy->body) {
        return "the state is damaged, or another version's";
    }
    return get_record(legacy) ? NULL : "the state is damaged, or another configuration's";
}

static void go_on(struct legacy *legacy)
{
    legacy->server->counters[IVFLAT_SERVER_COUNT_RESTARTS]++;
    legacy->server->ids.next = legacy->head.next_id;
    legacy->server->asking = true;
    drop_broken(legacy);
    ivf_clients_told_gone(legacy->server);
    ivf_news_tidy_all(&legacy->server->news); /* what only such wanted as are not there any more */
}

/* What was taken is closed, and whoever kept it lets go. */
static void start_afresh(struct legacy *legacy, const char *problem)
{
    ivf_server_log(legacy->server, IVFLAT_LOG_WARNING, "%s: the server starts afresh", problem);
    g_hash_table_remove_all(legacy->people);
    ivf_server_empty(legacy->server);
    ivf_handed_disown(&legacy->handed, legacy->server);
}

static void free_person(gpointer person)
{
    ivf_announcement_unref(person);
}

bool ivf_restore(ivflat_server *server, int fd)
{
    struct legacy legacy = {
        .server = server,
        .people = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, free_person),
        .broken = g_hash_table_new(NULL, NULL),
        .items = g_hash_table_new(g_int64_hash, g_int64_equal),
    };
    const char *problem;

    ivf_handed_read(&legacy.handed, fd);
    problem = restore(&legacy);
    if (problem) {
        start_afresh(&legacy, problem);
    } else {
        go_on(&legacy);
    }
    ivf_handed_end(&legacy.handed, server);
    g_hash_table_unref(legacy.items);
    g_hash_table_unref(legacy.people);
    g_hash_table_unref(legacy.broken);
    g_clear_pointer(&legacy.body, g_byte_array_unref);
    return !problem;
}
