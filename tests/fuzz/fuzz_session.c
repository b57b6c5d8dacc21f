/* SPDX-License-Identifier: BSD-3-Clause */
/* The wire and the session: messages cut anywhere, with any descriptors beside any piece, against a model of what the
 * protocol page says (P1..P14).  The descriptors are numbers: each has to come back exactly once. */
#include "error.h"
#include "input.h"
#include "session.h"
#include "wire.h"

#include <inttypes.h>
#include <string.h>

#define FDS_MAX 4096

enum outcome {
    REFUSED = -1
    /* or an ivf_event_kind */
};

/* What the protocol page says, written from it and not from session.c. */
struct model {
    uint32_t messages;
    int64_t id; /* ours; only looked at when messages > 2 */
    uint32_t fds;
    bool lost;
    int fd; /* the last one that came with this message */
};

static struct {
    struct ivf_wire wire;
    struct ivf_session session;
    struct model model;
    uint8_t out[FDS_MAX]; /* given and not back yet */
    int next_fd;
} run;

static void begin(void)
{
    ivf_wire_begin(&run.wire);
    ivf_session_begin(&run.session);
    memset(&run.model, 0, sizeof(run.model));
}

/* Descriptors. */

static void back(int fd)
{
    MUST(fd >= 0 && fd < FDS_MAX && run.out[fd]);
    run.out[fd] = 0;
}

static void give(bool lost)
{
    int surplus[2];
    int fd = lost || run.next_fd == FDS_MAX ? IVF_FD_LOST : run.next_fd++;
    uint32_t count;

    if (fd >= 0) {
        run.out[fd] = 1;
        run.model.fds++;
        run.model.fd = fd;
    } else {
        run.model.lost = true;
    }
    count = ivf_wire_latch(&run.wire, fd, surplus);
    MUST(count <= 2);
    while (count > 0) {
        back(surplus[--count]);
    }
}

/* Messages. */

static int expected_first(uint32_t message, int64_t number, bool with_fd)
{
    switch (message) {
    case 1: /* P3 */
        return number == 0 && !with_fd ? (int)IVF_EVENT_VERSION : REFUSED;
    case 2: /* P4 */
        return number >= 0 && number <= 65535 && !with_fd ? (int)IVF_EVENT_ID : REFUSED;
    default: /* P5 */
        return number == -1 && with_fd ? (int)IVF_EVENT_MEMORY : REFUSED;
    }
}

static int expected(const struct model *model, int64_t number)
{
    bool with_fd = model->fds == 1;

    if (model->lost || model->fds > 1) { /* P13, P14 */
        return REFUSED;
    }
    if (model->messages <= 3) {
        return expected_first(model->messages, number, with_fd);
    }
    if (number < 0 || number > 65535) { /* P5, P12 */
        return REFUSED;
    }
    if (with_fd) { /* P6, P10 */
        return IVF_EVENT_VECTOR;
    }
    return number == model->id ? REFUSED : (int)IVF_EVENT_LEAVE;
}

static void check_sentence(const char *sentence, uint32_t message)
{
    char words[32];

    snprintf(words, sizeof(words), "message %" PRIu32, message);
    MUST(strstr(sentence, words));
    MUST(!strchr(sentence, '\n'));
}

static void check_event(const struct ivf_event *event, int64_t number)
{
    bool has_fd = event->kind == IVF_EVENT_MEMORY || event->kind == IVF_EVENT_VECTOR;

    MUST(has_fd == (run.model.fds == 1));
    if (has_fd) {
        MUST(event->fd == run.model.fd);
        back(event->fd);
    }
    if (event->kind == IVF_EVENT_ID || event->kind == IVF_EVENT_VECTOR || event->kind == IVF_EVENT_LEAVE) {
        MUST(event->id == (uint64_t)number);
    }
}

static void whole_message(int64_t number)
{
    struct ivf_event event;
    int fd = run.wire.fd;
    int wanted, result;

    run.model.messages++;
    wanted = expected(&run.model, number);
    MUST(ivf_wire_number(&run.wire) == number);
    ivf_wire_begin(&run.wire);
    result = ivf_session_step(&run.session, number, fd, &event);
    if (wanted == REFUSED) {
        MUST(result == IVFLAT_ERR_PROTOCOL);
        check_sentence(ivflat_last_error(), run.model.messages);
        if (fd >= 0) {
            back(fd);
        }
        begin();
        return;
    }
    MUST(result == 0 && (int)event.kind == wanted);
    check_event(&event, number);
    if (wanted == IVF_EVENT_ID) {
        run.model.id = number;
    }
    run.model.fds = 0;
}

/* The server is gone, here. */
static void end_of_file(void)
{
    MUST(ivf_session_closed(&run.session, run.wire.have) == IVFLAT_ERR_CLOSED);
    check_sentence(ivflat_last_error(), run.model.messages + (run.wire.have ? 1 : 0));
    if (run.wire.fd >= 0) {
        back(run.wire.fd);
    }
    begin();
}

/* One message in pieces: @kind says what number, each piece's byte how long it is and what comes beside it. */
static void message(struct input *input, uint8_t kind)
{
    int64_t number = take_message(input, kind, (int32_t)run.model.id);
    uint8_t bytes[IVF_WIRE_SIZE];
    uint32_t done = 0;

    ivf_wire_encode(bytes, number);
    while (done < IVF_WIRE_SIZE) {
        uint8_t piece = take_byte(input);
        uint32_t wants = ivf_wire_wants(&run.wire);
        uint32_t count = piece & 7 ? piece & 7 : IVF_WIRE_SIZE;

        MUST(wants == IVF_WIRE_SIZE - done);
        if (piece & 0x80 && !(kind & 0x80)) { /* rarely: it takes all that was there with it */
            end_of_file();
            return;
        }
        for (int i = piece >> 3 & 3; i > 0; i--) {
            give(piece & 0x20);
        }
        count = count < wants ? count : wants;
        MUST(ivf_wire_add(&run.wire, bytes + done, count) == (done + count == IVF_WIRE_SIZE));
        done += count;
    }
    whole_message(number);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};

    memset(&run, 0, sizeof(run));
    begin();
    while (input_has(&input)) {
        message(&input, take_byte(&input));
    }
    if (run.wire.fd >= 0) {
        back(run.wire.fd);
    }
    for (int fd = 0; fd < run.next_fd; fd++) {
        MUST(!run.out[fd]);
    }
    return 0;
}
