// SPDX-License-Identifier: BSD-3-Clause
// What Renode 1.14 has otherwise than its successors.
namespace Antmicro.Renode.Core
{
    // [Core/Machine.cs]: there is no IMachine; who asks for the machine in a constructor has to ask for this class.
    public partial class Machine : IEmulationElement { }
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
        byte[] ReadBytes(long offset, int count);
        void WriteBytes(long offset, byte[] array, int startingIndex, int count);
    }
}
