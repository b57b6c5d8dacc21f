/* SPDX-License-Identifier: BSD-3-Clause */
/* A GSource around one descriptor and a dispatch.  Public headers alone. */
#include <libivflat/ivflat-glib.h>

struct source {
    GSource base;
    void *object;
    int32_t (*dispatch)(void *object); /* below 0: nothing more will come */
};

static gboolean dispatch(GSource *base, GSourceFunc callback, gpointer data)
{
    struct source *source = (struct source *)base;

    (void)callback;
    (void)data;
    return source->dispatch(source->object) < 0 ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static GSourceFuncs functions = {.dispatch = dispatch}; /* no prepare, no check: the descriptor tells all */

static GSource *source_new(void *object, int32_t fd, int32_t (*dispatch_object)(void *object), const char *name)
{
    GSource *base = g_source_new(&functions, sizeof(struct source));
    struct source *source = (struct source *)base;

    source->object = object;
    source->dispatch = dispatch_object;
    g_source_set_name(base, name);
    g_source_add_unix_fd(base, fd, G_IO_IN);
    return base;
}

/* An error has ended the link, and link_changed() has told: the next link will want to be dispatched too. */
static int32_t dispatch_device(void *object)
{
    ivflat_device_dispatch(object);
    return 0;
}

static int32_t dispatch_server(void *object)
{
    return ivflat_server_dispatch(object);
}

GSource *ivflat_device_source_new(ivflat_device *dev)
{
    return dev ? source_new(dev, ivflat_device_get_fd(dev), dispatch_device, "ivflat_device") : NULL;
}

GSource *ivflat_server_source_new(ivflat_server *server)
{
    return server ? source_new(server, ivflat_server_get_fd(server), dispatch_server, "ivflat_server") : NULL;
}
