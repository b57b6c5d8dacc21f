// SPDX-License-Identifier: BSD-3-Clause
// Runs the tests, one after the other, and says of each how it ended: "ok NAME" or "FAILED NAME: why".
//
// usage: tests.exe FOLDER LIBRARY SERVER CLIENT [NAME]
//
//   FOLDER   for sockets; layout.txt and the libraries that tests refuse are in it
//   NAME     only the tests whose names have this in them; "leave": none, but a device that nobody disposes
using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Miscellaneous;

[AttributeUsage(AttributeTargets.Method)]
public class TestAttribute : Attribute { }

public class Failure : Exception
{
    public Failure(string message) : base(message) { }
}

public static class Check
{
    public static void That(bool condition, string what)
    {
        if (!condition) {
            throw new Failure(what);
        }
    }

    public static void Equal(object expected, object found, string what)
    {
        That(Equals(expected, found), String.Format("{0}: {1} is right, and it is {2}", what, expected, found));
    }

    // The sentence of the error that it has to end in.
    public static string Throws<T>(Action action) where T : Exception
    {
        try {
            action();
        } catch (Exception e) {
            Equal(typeof(T), e.GetType(), "the error (" + e.Message + ")");
            return e.Message;
        }
        throw new Failure("it did not fail");
    }

    // One sentence for a person: not empty, one line, and all that it has to name is in it.
    public static void Says(string sentence, params string[] words)
    {
        That(sentence.Length > 10 && !sentence.Contains("\n"), "no sentence: " + sentence);
        foreach (var word in words) {
            That(sentence.Contains(word), String.Format("\"{0}\" is missing in: {1}", word, sentence));
        }
    }
}

public static class Program
{
    public static int Main(string[] words)
    {
        World.Folder = words[0];
        World.Library = words[1];
        World.ServerProgram = words[2];
        World.ClientProgram = words[3];
        var wanted = words.Length > 4 ? words[4] : "";
        if (wanted == "leave") {
            return Leave();
        }
        var tests = Assembly.GetExecutingAssembly().GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly))
            .Where(method => method.GetCustomAttributes(typeof(TestAttribute), false).Length != 0)
            .Where(method => Name(method).Contains(wanted))
            .OrderBy(Name).ToArray();
        return tests.Count(test => !Run(test)) == 0 && tests.Length != 0 ? 0 : 1;
    }

    private static int Leave()
    {
        var device = new IvshmemFlat(new Machine(), World.MemorySize, Path.Combine(World.Folder, "s"),
                                     library: World.Library);
        Console.WriteLine("left peer {0} behind", device.Id);
        return 0;
    }

    private static string Name(MethodInfo method) { return method.DeclaringType.Name + "." + method.Name; }

    private static bool Run(MethodInfo test)
    {
        var clock = Stopwatch.StartNew();
        string why = null;
        try {
            using (var world = new World()) {
                test.Invoke(null, new object[] { world });
            }
        } catch (Exception e) {
            why = (e is TargetInvocationException ? e.InnerException : e).ToString();
        }
        Console.WriteLine("{0} {1} ({2} ms){3}", why == null ? "ok" : "FAILED", Name(test), clock.ElapsedMilliseconds,
                          why == null ? "" : ": " + why);
        return why == null;
    }
}
