// SPDX-License-Identifier: BSD-3-Clause
// A program that a test starts: read by line, and gone with the test.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using System.Threading;
using Antmicro.Renode.Core;

public class Child : IDisposable
{
    public Child(string program, string arguments)
    {
        name = System.IO.Path.GetFileName(program);
        process = Process.Start(new ProcessStartInfo(program, arguments) {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true
        });
        reader = new Thread(Read) { IsBackground = true };
        reader.Start();
    }

    // The next line in which the expression is found.
    public Match Until(string pattern)
    {
        lock (lines) {
            while (true) {
                while (lines.Count != 0) {
                    var match = Regex.Match(lines.Dequeue(), pattern);
                    if (match.Success) {
                        return match;
                    }
                }
                if (ended || !Monitor.Wait(lines, Machine.Patience * 1000)) {
                    throw new TimeoutException(name + " never said: " + pattern);
                }
            }
        }
    }

    public void Say(string line)
    {
        process.StandardInput.WriteLine(line);
        process.StandardInput.Flush();
    }

    public void Signal(int number) { kill(process.Id, number); }

    public void End()
    {
        Signal(SIGCONT);
        Signal(SIGTERM);
        AwaitEnd();
    }

    public void AwaitEnd()
    {
        if (!process.WaitForExit(Machine.Patience * 1000)) {
            throw new TimeoutException(name + " does not end");
        }
    }

    public void Dispose()
    {
        if (disposed) {
            return;
        }
        disposed = true;
        if (!process.HasExited) {
            process.Kill();
        }
        process.WaitForExit();
        reader.Join();
        process.Dispose();
    }

    public const int SIGKILL = 9;
    public const int SIGTERM = 15;
    public const int SIGCONT = 18;
    public const int SIGSTOP = 19;

    // On the reader's thread, before Until() can find it.
    protected virtual void Said(string line) { }

    private void Read()
    {
        for (var line = process.StandardOutput.ReadLine(); line != null; line = process.StandardOutput.ReadLine()) {
            lock (lines) {
                Said(line);
                lines.Enqueue(line);
                Monitor.PulseAll(lines);
            }
            Machine.Tell();
        }
        lock (lines) {
            ended = true;
            Monitor.PulseAll(lines);
        }
    }

    [DllImport("libc")]
    private static extern int kill(int process, int signal);

    protected readonly Queue<string> lines = new Queue<string>();

    private bool ended;
    private bool disposed;

    private readonly string name;
    private readonly Process process;
    private readonly Thread reader;
}

// A second peer: ivflat-client, which knows nothing of Renode.
public class Client : Child
{
    public Client(string socket) : base(World.ClientProgram, "-j -S " + socket)
    {
        Id = Int32.Parse(Until("\"joined\",\"id\":([0-9]+)").Groups[1].Value);
    }

    public readonly int Id;

    // The sum of the counts of a vector of ours.
    public long Rung(int vector)
    {
        lock (lines) {
            long sum;
            return rung.TryGetValue(vector, out sum) ? sum : 0;
        }
    }

    public void Ring(int peer, int vector) { Say(String.Format("ring {0} {1}", peer, vector)); }

    public void Write(long offset, string text) { Say(String.Format("write {0} {1}", offset, text)); }

    public string Read(long offset, int length)
    {
        Say(String.Format("read {0} {1}", offset, length));
        return Until("\"event\":\"read\".*\"text\":\"([^\"]*)\"").Groups[1].Value;
    }

    // That a peer with so many vectors has come; a ring before that would be at nobody.
    public void Meets(int id, int vectors)
    {
        Until(String.Format("\"event\":\"peer\",\"id\":{0},\"vectors\":{1},", id, vectors));
    }

    public void Misses(int id) { Until(String.Format("\"event\":\"left\",\"id\":{0}", id)); }

    protected override void Said(string line)
    {
        var match = Regex.Match(line, "\"event\":\"interrupt\",\"vector\":([0-9]+),\"count\":([0-9]+)");
        if (match.Success) {
            var vector = Int32.Parse(match.Groups[1].Value);
            rung[vector] = Rung(vector) + Int64.Parse(match.Groups[2].Value);
        }
    }

    private readonly Dictionary<int, long> rung = new Dictionary<int, long>();
}
