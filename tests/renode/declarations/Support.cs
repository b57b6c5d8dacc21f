// SPDX-License-Identifier: BSD-3-Clause
// The same for classes: as much behaviour of Renode's as the adapter can notice.  In brackets the file of
// renode-infrastructure, below src/Emulator/Main, or of Migrant.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Antmicro.Renode.Core;
using Antmicro.Renode.Time;

namespace Antmicro.Migrant
{
    // [Migrant/TransientAttribute.cs]
    [AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Field | AttributeTargets.Event)]
    public class TransientAttribute : Attribute { }
}

namespace Antmicro.Migrant.Hooks
{
    // [Migrant/Hooks]
    [AttributeUsage(AttributeTargets.Method)]
    public class PreSerializationAttribute : Attribute { }

    [AttributeUsage(AttributeTargets.Method)]
    public class LatePostDeserializationAttribute : Attribute { }
}

namespace Antmicro.Renode.Exceptions
{
    // [Exceptions/RecoverableException.cs]
    public class RecoverableException : Exception
    {
        public RecoverableException(string message) : base(message) { }
        public RecoverableException(string message, Exception innerException) : base(message, innerException) { }
    }

    // [Exceptions/ConstructionException.cs]
    public class ConstructionException : RecoverableException
    {
        public ConstructionException(string message) : base(message) { }
        public ConstructionException(string message, Exception innerException) : base(message, innerException) { }
    }
}

namespace Antmicro.Renode.Logging
{
    // [Logging/LogLevel.cs]
    public sealed class LogLevel
    {
        public static LogLevel Noisy = new LogLevel();
        public static LogLevel Debug = new LogLevel();
        public static LogLevel Info = new LogLevel();
        public static LogLevel Warning = new LogLevel();
        public static LogLevel Error = new LogLevel();
    }

    // [Logging/Logger.cs]; here the lines are kept for the tests.
    public static class Logger
    {
        public static readonly List<KeyValuePair<LogLevel, string>> Lines = new List<KeyValuePair<LogLevel, string>>();

        public static void Log(this IEmulationElement e, LogLevel type, string message)
        {
            lock (Lines) {
                Lines.Add(new KeyValuePair<LogLevel, string>(type, message));
            }
        }

        public static void Log(this IEmulationElement e, LogLevel type, string message, params object[] args)
        {
            Log(e, type, String.Format(message, args));
        }
    }
}

namespace Antmicro.Renode.Time
{
    // [Time/TimeInterval.cs]
    public struct TimeInterval { }

    // [Time/ITimeDomain.cs]
    public interface ITimeDomain { }

    // [Time/TimeStamp.cs]
    public struct TimeStamp
    {
        public TimeStamp(TimeInterval interval, ITimeDomain domain) : this()
        {
            TimeElapsed = interval;
            Domain = domain;
        }

        public TimeInterval TimeElapsed { get; private set; }
        public ITimeDomain Domain { get; private set; }
    }
}

namespace Antmicro.Renode.Core
{
    // [Core/EmulationManager.cs]
    public class EmulationManager
    {
        public static ITimeDomain ExternalWorld = new ExternalWorldTimeDomain();

        private class ExternalWorldTimeDomain : ITimeDomain { }
    }

    // [Core/GPIO.cs]: a receiver is told inside the lock, and only of changes; a new one of the present level.
    public sealed class GPIO : IGPIO
    {
        public void Set(bool value)
        {
            lock (sync) {
                if (IsSet == value) {
                    return;
                }
                IsSet = value;
                foreach (var target in targets) {
                    target.Key.OnGPIO(target.Value, value);
                }
            }
        }

        public void Connect(IGPIOReceiver destination, int destinationNumber)
        {
            lock (sync) {
                targets.Add(new KeyValuePair<IGPIOReceiver, int>(destination, destinationNumber));
                destination.OnGPIO(destinationNumber, IsSet);
            }
        }

        public void Toggle() { Set(!IsSet); }

        public void Disconnect() { targets.Clear(); }

        public bool IsConnected { get { return targets.Count != 0; } }

        public bool IsSet { get; private set; }

        private readonly object sync = new object();
        private readonly List<KeyValuePair<IGPIOReceiver, int>> targets = new List<KeyValuePair<IGPIOReceiver, int>>();
    }
}

namespace Antmicro.Renode.Utilities
{
    // [Utilities/SharedLibraries.cs]: bound at once (2 is RTLD_NOW), and what is wrong is an InvalidOperationException.
    public static class SharedLibraries
    {
        public static IntPtr LoadLibrary(string path)
        {
            dlerror();
            return Checked(dlopen(path, 2), "opening");
        }

        public static IntPtr GetSymbolAddress(IntPtr libraryAddress, string name)
        {
            return Checked(dlsym(libraryAddress, name), "getting symbol from");
        }

        private static IntPtr Checked(IntPtr address, string operation)
        {
            if (address == IntPtr.Zero) {
                throw new InvalidOperationException(String.Format("Error while {0} dynamic library: {1}", operation,
                                                                  Marshal.PtrToStringAuto(dlerror())));
            }
            return address;
        }

        [DllImport("libdl.so.2")]
        private static extern IntPtr dlopen(string file, int mode);

        [DllImport("libdl.so.2")]
        private static extern IntPtr dlerror();

        [DllImport("libdl.so.2")]
        private static extern IntPtr dlsym(IntPtr handle, string name);
    }
}
