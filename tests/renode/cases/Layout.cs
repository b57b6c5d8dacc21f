// SPDX-License-Identifier: BSD-3-Clause
// The structs and numbers of the C side, as the compiler lays them out, beside those of the C# side.
using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using Antmicro.Renode.Peripherals.Miscellaneous;

public static class Layout
{
    [Test]
    public static void IsTheSameInC(World world)
    {
        var text = File.ReadAllLines(Path.Combine(World.Folder, "layout.txt"));
        var lines = text.Select(line => line.Split(' ')).ToArray();
        Check.Equal(11 + 15 + 2 + 6, lines.Length, "lines of layout.c");
        foreach (var line in lines) {
            var value = Int32.Parse(line[2]);
            var name = line[0] + " " + line[1];
            if (line[0] == "number") {
                Check.Equal(value, Number(line[1]), name);
            } else if (line[1] == "-") {
                Check.Equal(value, Marshal.SizeOf(Type(line[0])), "size of " + line[0]);
            } else {
                Check.Equal(value, (int)Marshal.OffsetOf(Type(line[0]), Camel(line[1])), name);
            }
        }
    }

    [Test]
    public static void HasNoFieldThatTheCSideLacks(World world)
    {
        var text = File.ReadAllText(Path.Combine(World.Folder, "layout.txt"));
        foreach (var name in new[] { "ivflat_config", "ivflat_hooks" }) {
            foreach (var field in Type(name).GetFields()) {
                Check.That(text.Split('\n').Any(line => Camel(line).StartsWith(Camel(name) + " " + field.Name + " ")),
                           field.Name + " is not in " + name);
            }
        }
    }

    private static Type Type(string name)
    {
        return Assembly.GetAssembly(typeof(IvshmemFlat)).GetType(Namespace + Camel(name), true);
    }

    private static int Number(string name)
    {
        var type = Assembly.GetAssembly(typeof(IvshmemFlat)).GetType(Namespace + "IvflatLibrary", true);
        var field = type.GetField(name, BindingFlags.Static | BindingFlags.NonPublic);
        return Convert.ToInt32(field.GetValue(null));
    }

    // struct_size -> StructSize, word by word
    private static string Camel(string text)
    {
        var words = text.Replace("_", "\u0001").Split(' ').Select(word => String.Concat(
            word.Split('\u0001').Select(part => part == "" ? "" : Char.ToUpperInvariant(part[0]) + part.Substring(1))));
        return String.Join(" ", words);
    }

    private const string Namespace = "Antmicro.Renode.Peripherals.Miscellaneous.";
}
