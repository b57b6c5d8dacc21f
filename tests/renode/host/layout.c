/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints how the C side lays out the structs that the adapter declares: "struct field offset", then its size. */
#include <libivflat/ivflat.h>
#include <stddef.h>
#include <stdio.h>

#define FIELD(type, field) printf("%s %s %zu\n", #type, #field, offsetof(type, field))
#define SIZE(type)         printf("%s - %zu\n", #type, sizeof(type))

static void config(void)
{
    FIELD(ivflat_config, struct_size);
    FIELD(ivflat_config, max_vectors);
    FIELD(ivflat_config, memory_size);
    FIELD(ivflat_config, no_interrupts);
    FIELD(ivflat_config, revision0);
    FIELD(ivflat_config, no_mapping);
    FIELD(ivflat_config, require_sealed);
    FIELD(ivflat_config, greeting_timeout_ms);
    FIELD(ivflat_config, reconnect_ms);
    FIELD(ivflat_config, trusted_peers);
    FIELD(ivflat_config, reserved);
    SIZE(ivflat_config);
}

static void hooks(void)
{
    FIELD(ivflat_hooks, struct_size);
    FIELD(ivflat_hooks, reserved);
    FIELD(ivflat_hooks, user);
    FIELD(ivflat_hooks, interrupt);
    FIELD(ivflat_hooks, line);
    FIELD(ivflat_hooks, memory_attached);
    FIELD(ivflat_hooks, link_changed);
    FIELD(ivflat_hooks, peer_changed);
    FIELD(ivflat_hooks, vector_added);
    FIELD(ivflat_hooks, vector_removed);
    FIELD(ivflat_hooks, doorbell_added);
    FIELD(ivflat_hooks, doorbell_removed);
    FIELD(ivflat_hooks, guest_error);
    FIELD(ivflat_hooks, log);
    FIELD(ivflat_hooks, trace);
    SIZE(ivflat_hooks);
}

static void numbers(void)
{
    printf("number LinkDown %d\n", IVFLAT_LINK_DOWN);
    printf("number LinkGreeting %d\n", IVFLAT_LINK_GREETING);
    printf("number LinkReady %d\n", IVFLAT_LINK_READY);
    printf("number ErrorSystem %d\n", IVFLAT_ERR_SYSTEM);
    printf("number ErrorMemory %d\n", IVFLAT_ERR_MEMORY);
    printf("number ErrorTimeout %d\n", IVFLAT_ERR_TIMEOUT);
}

int main(void)
{
    config();
    hooks();
    numbers();
    return 0;
}
