/* SPDX-License-Identifier: BSD-3-Clause */
/* The greeting's limit, coming back, waiting and waking.  No test sleeps: each waits on the device's descriptor. */
#include "story.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static struct story story;
static ivflat_config config;

static void init(enum story_way way, uint32_t greeting_ms, uint32_t reconnect_ms)
{
    config = (ivflat_config){.struct_size = sizeof(config),
                             .trusted_peers = 1,
                             .greeting_timeout_ms = greeting_ms,
                             .reconnect_ms = reconnect_ms};
    story_init(&story, &config);
    story.way = way;
}

/* Dispatches until the hooks said something. */
static void wait_for_word(void)
{
    while (story.record.said->len == 0) {
        int32_t error;

        ck_assert_int_eq(ivflat_device_wait(story.dev, PATIENCE_MS), 1);
        error = ivflat_device_dispatch(story.dev);
        story.error = error ? error : story.error;
    }
}

/* The next that the hooks say, whenever it comes; what follows may have come as well. */
static void expect_next(const char *word)
{
    wait_for_word();
    ck_assert_msg(record_take(&story.record, word), "not %s but: %s", word, story.record.said->str);
}

static void greet(const char *id)
{
    story_sends(&story, "0", id, "-1 memory 4096");
    story_settle(&story);
}

/* The greeting's time --------------------------------------------------------------------------------------------- */

START_TEST(P23_a_silent_server_is_given_up)
{
    init((enum story_way)_i, 20, 0);
    story_connect(&story);
    wait_for_word();
    story_expect(&story, "down timeout");
    ck_assert_int_eq(story.error, IVFLAT_ERR_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(story.record.reason, "20 ms"));
    ck_assert_ptr_nonnull(strstr(story.record.reason, "version"));
    ck_assert_int_eq(ivflat_device_wait(story.dev, 0), 0); /* and once */
}
END_TEST

START_TEST(P23_the_sentence_says_what_is_missing)
{
    static const char *const messages[] = {"0", "3"};
    static const char *const missing[] = {"our id", "shared memory"};

    init(STORY_ADOPT, 50, 0);
    story_connect(&story);
    for (int i = 0; i <= _i; i++) {
        story_sends(&story, messages[i]);
    }
    wait_for_word();
    story_expect(&story, "down timeout");
    ck_assert_ptr_nonnull(strstr(story.record.reason, missing[_i]));
}
END_TEST

START_TEST(P23_ready_ends_the_limit)
{
    init((enum story_way)_i, 200, 0);
    story_connect(&story);
    greet("3");
    story_expect(&story, "memory 4096; ready");
    ck_assert_int_eq(ivflat_device_wait(story.dev, 300), 0);
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_READY);
}
END_TEST

START_TEST(P23_greet_has_the_greetings_own_limit)
{
    init(STORY_ADOPT, 20, 0);
    story_connect(&story);
    ck_assert_int_eq(ivflat_device_greet(story.dev, -1), IVFLAT_ERR_TIMEOUT);
    record_expect(&story.record, "down timeout");
    ck_assert_int_eq(ivflat_device_greet(story.dev, -1), IVFLAT_ERR_INVALID);
}
END_TEST

/* A full queue answers EAGAIN to a connect that does not block. */
START_TEST(P23_a_full_queue_is_tried_again)
{
    const char *path = test_path("s");
    int listener = raw_listen(path, 0);
    int first;

    init(STORY_CONNECT, 0, 0);
    ck_assert_int_eq(ivflat_device_connect(story.dev, path), 0); /* takes the queue's one place */
    ivflat_device_disconnect(story.dev);
    ck_assert_int_eq(ivflat_device_connect(story.dev, path), 0);
    record_expect(&story.record, "greeting; down asked; greeting");
    ck_assert_int_eq(ivflat_device_greet(story.dev, 30), IVFLAT_ERR_TIMEOUT);
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_GREETING);
    first = raw_accept(listener); /* makes room */
    story.listener = listener;
    while (!is_readable(listener)) {
        ck_assert_int_eq(ivflat_device_wait(story.dev, PATIENCE_MS), 1);
        ivflat_device_dispatch(story.dev);
    }
    story.server = raw_accept(listener);
    story.up = true;
    greet("3");
    story_expect(&story, "memory 4096; ready");
    close_fd(first);
}
END_TEST

START_TEST(P23_a_queue_that_stays_full_is_given_up)
{
    const char *path = test_path("s");
    int listener = raw_listen(path, 0);

    init(STORY_CONNECT, 60, 0);
    ck_assert_int_eq(ivflat_device_connect(story.dev, path), 0);
    ivflat_device_disconnect(story.dev);
    ck_assert_int_eq(ivflat_device_connect(story.dev, path), 0);
    g_string_truncate(story.record.said, 0);
    wait_for_word();
    record_expect(&story.record, "down timeout");
    ck_assert_ptr_nonnull(strstr(story.record.reason, "queue"));
    close_fd(listener);
}
END_TEST

/* Coming back ----------------------------------------------------------------------------------------------------- */

/* A server comes to the same path. */
static void serve_again(void)
{
    story.listener = raw_listen(test_path("s"), 4);
    while (!is_readable(story.listener)) {
        ck_assert_int_eq(ivflat_device_wait(story.dev, PATIENCE_MS), 1);
        ivflat_device_dispatch(story.dev);
    }
    story.server = raw_accept(story.listener);
    story.messages = 0;
    story.id = -1;
    story.up = true;
}

static void die(void)
{
    close_fd(story.listener);
    story.listener = -1;
    unlink(test_path("s"));
    story_close(&story);
}

START_TEST(P18_a_server_that_comes_back)
{
    uint8_t *memory;

    init(STORY_CONNECT, 0, 10);
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 memory 4096", "4 eventfd", "3 eventfd");
    story_expect(&story, "memory 4096; ready; peer 4 1");
    memory = ivflat_device_memory(story.dev);
    memory[9] = 1;
    die();
    expect_next("down closed");
    story_ring(&story, 4, 0);
    ck_assert_uint_eq(story_rung(&story, 4, 0), 1);
    serve_again();
    ck_assert_int_eq(ivflat_device_id(story.dev), 3); /* in the greeting: all as it was */
    ck_assert_uint_eq(ivflat_device_peer_vectors(story.dev, 4), 1);
    add_count(story_fd(&story, 3, 0), 1);
    expect_next("greeting");
    expect_next("interrupt 0 1");
    ck_assert_int_eq(memory[9], 1);
    story_sends(&story, "0", "77", "-1 memory 4096", "5 eventfd");
    story_expect(&story, "memory 4096; peer 4 0; ready; peer 5 1");
    ck_assert_int_eq(ivflat_device_id(story.dev), 77);
    ck_assert_ptr_eq(ivflat_device_memory(story.dev), memory);
    ck_assert_int_eq(memory[9], 0); /* the new server's */
}
END_TEST

START_TEST(P18_nobody_there_is_told_once)
{
    init(STORY_CONNECT, 0, 1);
    ck_assert_int_eq(ivflat_device_connect(story.dev, test_path("s")), 0);
    record_expect(&story.record, "");
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(ivflat_device_wait(story.dev, PATIENCE_MS), 1);
        ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0);
    }
    ck_assert_ptr_nonnull(strstr(story.record.logged->str, "trying again every 1 ms"));
    ck_assert_ptr_eq(strstr(story.record.logged->str, "trying again"),
                     g_strrstr(story.record.logged->str, "trying again"));
    serve_again();
    greet("3");
    story_expect(&story, "greeting; memory 4096; ready");
}
END_TEST

/* The device has connected again. */
static void accept_again(void)
{
    close_fd(story.server);
    story.server = raw_accept(story.listener);
    story.up = true;
    story.messages = 0;
    story.id = -1;
}

START_TEST(P18_a_broken_greeting_is_tried_again)
{
    init(STORY_CONNECT, 300, 1);
    story_connect(&story);
    story_sends(&story, "9");
    expect_next("down protocol");
    expect_next("greeting");
    accept_again();
    expect_next("down timeout"); /* silent, this time */
    expect_next("greeting");
    accept_again();
    story_sends(&story, "0", "3", "-1 memory 4096");
    expect_next("memory 4096");
    expect_next("ready");
}
END_TEST

/* One line for each thing that is wrong, however often it comes. */
START_TEST(P18_another_reason_is_told_too)
{
    init(STORY_CONNECT, 0, 1);
    ck_assert_int_eq(ivflat_device_connect(story.dev, test_path("s")), 0);
    serve_again();
    expect_next("greeting");
    for (int i = 0; i < 3; i++) {
        story_sends(&story, "9");
        expect_next("down protocol");
        expect_next("greeting");
        accept_again();
    }
    ck_assert_ptr_nonnull(strstr(story.record.logged->str, "trying again every 1 ms"));
    ck_assert_ptr_nonnull(strstr(story.record.logged->str, "speaks version 9"));
    ck_assert_ptr_eq(strstr(story.record.logged->str, "version 9"), g_strrstr(story.record.logged->str, "version 9"));
}
END_TEST

/* Memory of another size is refused, again and again, and the first one's is there all the time. */
START_TEST(P18_another_size_changes_nothing)
{
    init(STORY_CONNECT, 0, 1);
    story_connect(&story);
    greet("3");
    story_expect(&story, "memory 4096; ready");
    ((uint8_t *)ivflat_device_memory(story.dev))[4095] = 7;
    die();
    serve_again();
    story_sends(&story, "0", "5", "-1 memory 8192");
    expect_next("down closed");
    expect_next("greeting");
    expect_next("down memory");
    ck_assert_int_eq(ivflat_device_id(story.dev), 3);
    ck_assert_int_eq(((uint8_t *)ivflat_device_memory(story.dev))[4095], 7);
    ck_assert_uint_eq(ivflat_device_memory_size(story.dev), 4096);
}
END_TEST

START_TEST(P18_disconnecting_ends_it)
{
    init(STORY_CONNECT, 0, 1);
    ck_assert_int_eq(ivflat_device_connect(story.dev, test_path("s")), 0);
    ivflat_device_disconnect(story.dev);
    story.listener = raw_listen(test_path("s"), 4);
    ck_assert_int_eq(ivflat_device_wait(story.dev, 20), 0);
    ck_assert(!is_readable(story.listener));
    record_expect(&story.record, "");
}
END_TEST

START_TEST(P18_without_reconnect_ms_it_stays_down)
{
    init(STORY_CONNECT, 0, 0);
    story_connect(&story);
    greet("3");
    close_fd(story.server);
    story.server = -1;
    story_expect(&story, "memory 4096; ready; down closed");
    ck_assert_int_eq(ivflat_device_wait(story.dev, 20), 0);
    ck_assert(!is_readable(story.listener));
}
END_TEST

/* There is no path to come back to. */
START_TEST(P18_an_adopted_socket_is_not_opened_again)
{
    init(STORY_ADOPT, 0, 1);
    story_connect(&story);
    greet("3");
    story_close(&story);
    story_expect(&story, "memory 4096; ready; down closed");
    ck_assert_int_eq(ivflat_device_wait(story.dev, 20), 0);
    story_connect(&story);
}
END_TEST

/* Waiting and waking ---------------------------------------------------------------------------------------------- */

static void *wake_from_there(void *unused)
{
    (void)unused;
    ivflat_device_wake(story.dev);
    return NULL;
}

START_TEST(a_wake_from_another_thread_ends_the_wait)
{
    pthread_t thread;

    init(STORY_ADOPT, 0, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, wake_from_there, NULL), 0);
    ck_assert_int_eq(ivflat_device_wait(story.dev, -1), 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(ivflat_device_wait(story.dev, -1), 1); /* until the next dispatch */
    ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0);
    ck_assert_int_eq(ivflat_device_wait(story.dev, 0), 0);
}
END_TEST

static void *wait_there(void *answer)
{
    *(int32_t *)answer = ivflat_device_wait(story.dev, PATIENCE_MS);
    return NULL;
}

START_TEST(another_thread_waits)
{
    pthread_t thread;
    int32_t answer = 0;

    init(STORY_ADOPT, 0, 0);
    story_connect(&story);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_there, &answer), 0);
    story_sends(&story, "0");
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(answer, 1);
    story_settle(&story);
}
END_TEST

static void on_alarm(int number)
{
    (void)number;
    ivflat_device_wake(story.dev);
}

START_TEST(a_wake_from_a_signal_handler_ends_the_wait)
{
    struct sigaction before, action = {.sa_handler = on_alarm};
    struct itimerval soon = {.it_value = {.tv_usec = 5000}};

    init(STORY_ADOPT, 0, 0);
    ck_assert_int_eq(sigaction(SIGALRM, &action, &before), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
    ck_assert_int_eq(ivflat_device_wait(story.dev, PATIENCE_MS), 1);
    ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0);
    ck_assert_int_eq(sigaction(SIGALRM, &before, NULL), 0);
}
END_TEST

static void on_signal(int number)
{
    (void)number;
}

START_TEST(a_signal_alone_does_not_end_it)
{
    struct sigaction before, action = {.sa_handler = on_signal};
    struct itimerval often = {.it_value = {.tv_usec = 1000}, .it_interval = {.tv_usec = 1000}}, off = {{0}, {0}};

    init(STORY_ADOPT, 0, 0);
    ck_assert_int_eq(sigaction(SIGALRM, &action, &before), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
    ck_assert_int_eq(ivflat_device_wait(story.dev, 25), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &off, NULL), 0);
    ck_assert_int_eq(sigaction(SIGALRM, &before, NULL), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device: time");
    TCase *tcase = suite_case(suite, "the greeting's time");

    tcase_add_loop_test(tcase, P23_a_silent_server_is_given_up, 0, 3);
    tcase_add_loop_test(tcase, P23_the_sentence_says_what_is_missing, 0, 2);
    tcase_add_loop_test(tcase, P23_ready_ends_the_limit, 0, 3);
    tcase_add_test(tcase, P23_greet_has_the_greetings_own_limit);
    tcase_add_test(tcase, P23_a_full_queue_is_tried_again);
    tcase_add_test(tcase, P23_a_queue_that_stays_full_is_given_up);
    tcase = suite_case(suite, "coming back");
    tcase_add_test(tcase, P18_a_server_that_comes_back);
    tcase_add_test(tcase, P18_nobody_there_is_told_once);
    tcase_add_test(tcase, P18_a_broken_greeting_is_tried_again);
    tcase_add_test(tcase, P18_another_reason_is_told_too);
    tcase_add_test(tcase, P18_another_size_changes_nothing);
    tcase_add_test(tcase, P18_disconnecting_ends_it);
    tcase_add_test(tcase, P18_without_reconnect_ms_it_stays_down);
    tcase_add_test(tcase, P18_an_adopted_socket_is_not_opened_again);
    tcase = suite_case(suite, "waiting and waking");
    tcase_add_test(tcase, a_wake_from_another_thread_ends_the_wait);
    tcase_add_test(tcase, another_thread_waits);
    tcase_add_test(tcase, a_wake_from_a_signal_handler_ends_the_wait);
    tcase_add_test(tcase, a_signal_alone_does_not_end_it);
    return suite_run(suite);
}
