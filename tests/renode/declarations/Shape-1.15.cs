// SPDX-License-Identifier: BSD-3-Clause
// What Renode 1.15 has otherwise than 1.14, or 1.16.
using System;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Time;

namespace Antmicro.Renode.Core
{
    // [Peripherals/IMachine.cs]
    public interface IMachine : IEmulationElement
    {
        void HandleTimeDomainEvent<T>(Action<T> handler, T handlerArgument, TimeStamp eventTime,
                                      Action postAction = null);
        void HandleTimeDomainEvent<T>(Action<T> handler, T handlerArgument, bool timeDomainInternalEvent);
    }

    // [Core/Machine.cs]
    public partial class Machine : IMachine { }
}

namespace Antmicro.Renode.Peripherals
{
    // [Peripherals/IMemory.cs]
    public interface IMemory { }
}

namespace Antmicro.Renode.Peripherals.Bus
{
    // [Peripherals/Bus/IMultibyteWritePeripheral.cs]
    public interface IMultibyteWritePeripheral
    {
        byte[] ReadBytes(long offset, int count, ICPU context = null);
        void WriteBytes(long offset, byte[] array, int startingIndex, int count, ICPU context = null);
    }
}
