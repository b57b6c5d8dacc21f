/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * For programs that run GLib's main loop.  The only header with a GLib type in it.
 */
#ifndef IVFLAT_GLIB_H
#define IVFLAT_GLIB_H

#include <glib.h>

#include <libivflat/ivflat-server.h>
#include <libivflat/ivflat.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A source that dispatches @p dev when there is something to do.  Errors that end the link come by
 *  ivflat_hooks.link_changed.  Destroy it (g_source_destroy()) before ivflat_device_free().
 *  @param dev the device; kept
 *  @return yours to g_source_attach() and g_source_unref(); NULL for a NULL device */
IVFLAT_API GSource *ivflat_device_source_new(ivflat_device *dev);

/** The same for a server.
 *  @param server the server; kept
 *  @return yours to g_source_attach() and g_source_unref(); NULL for a NULL server */
IVFLAT_API GSource *ivflat_server_source_new(ivflat_server *server);

#ifdef __cplusplus
}
#endif
#endif
