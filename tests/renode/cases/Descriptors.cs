// SPDX-License-Identifier: BSD-3-Clause
// What this process holds: open descriptors, and threads that wait for devices.
using System;
using System.IO;
using System.Linq;

public static class Descriptors
{
    // Without what mono itself opens at its first use of something.
    public static int Count()
    {
        return Directory.GetFiles("/proc/self/fd").Count(path => IsOurs(Target(path)));
    }

    public static int Threads()
    {
        return Directory.GetDirectories("/proc/self/task").Count(path => Name(path).StartsWith("ivshmem-flat"));
    }

    private static bool IsOurs(string target)
    {
        return target.StartsWith("socket:") || target.StartsWith("anon_inode:") || target.StartsWith("/memfd:");
    }

    private static string Target(string path)
    {
        var buffer = new byte[256];
        var length = readlink(path, buffer, (IntPtr)buffer.Length);
        return System.Text.Encoding.UTF8.GetString(buffer, 0, Math.Max(0, (int)length));
    }

    private static string Name(string task)
    {
        try {
            return File.ReadAllText(Path.Combine(task, "comm"));
        } catch (IOException) {
            return "";
        }
    }

    [System.Runtime.InteropServices.DllImport("libc")]
    private static extern IntPtr readlink(string path, byte[] buffer, IntPtr size);
}
