// SPDX-License-Identifier: BSD-3-Clause
// The bus: who is where, which accesses get through, and memory that is mapped as for a CPU of Renode's.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Antmicro.Renode.Exceptions;
using Antmicro.Renode.Peripherals;
using Antmicro.Renode.Peripherals.Bus;

namespace Antmicro.Renode.Core
{
    public class SystemBus
    {
        public readonly List<IBusPeripheral> Peripherals = new List<IBusPeripheral>();
        public int Refused;

        // The page's check is the CPU's in Renode [Peripherals/CPU/TranslationCPU.cs].
        public void Register(IBusPeripheral peripheral, ulong address)
        {
            var mapped = peripheral as IMapped;
            var size = (ulong)((IKnownSize)peripheral).Size;
            if (mapped != null && (address % GuestPage != 0 || size % GuestPage != 0)) {
                throw new RecoverableException("Memory offset has to be aligned to guest page size.");
            }
            Peripherals.Add(peripheral);
            places.Add(new Place { Start = address, Size = size, Peripheral = peripheral });
        }

        public void Unregister(IBusPeripheral peripheral)
        {
            Peripherals.Remove(peripheral);
            places.RemoveAll(place => place.Peripheral == peripheral);
        }

        public uint ReadDoubleWord(ulong address)
        {
            var place = Find(address);
            return place.Peripheral is IMapped
                ? (uint)Marshal.ReadInt32(place.Mapped(address))
                : ((IDoubleWordPeripheral)place.Peripheral).ReadDoubleWord((long)(address - place.Start));
        }

        public void WriteDoubleWord(ulong address, uint value)
        {
            var place = Find(address);
            if (place.Peripheral is IMapped) {
                Marshal.WriteInt32(place.Mapped(address), (int)value);
            } else {
                ((IDoubleWordPeripheral)place.Peripheral).WriteDoubleWord((long)(address - place.Start), value);
            }
        }

        // Who has not the interface of a width is not asked [Peripherals/Bus/PeripheralAccessMethods.cs].
        public byte ReadByte(ulong address)
        {
            var place = Find(address);
            var bytes = place.Peripheral as IBytePeripheral;
            Refused += bytes == null ? 1 : 0;
            return bytes == null ? (byte)0 : bytes.ReadByte((long)(address - place.Start));
        }

        public void WriteByte(ulong address, byte value)
        {
            var place = Find(address);
            var bytes = place.Peripheral as IBytePeripheral;
            Refused += bytes == null ? 1 : 0;
            if (bytes != null) {
                bytes.WriteByte((long)(address - place.Start), value);
            }
        }

        public ushort ReadWord(ulong address)
        {
            var place = Find(address);
            var words = place.Peripheral as IWordPeripheral;
            Refused += words == null ? 1 : 0;
            return words == null ? (ushort)0 : words.ReadWord((long)(address - place.Start));
        }

        public ulong ReadQuadWord(ulong address)
        {
            var place = Find(address);
            var words = place.Peripheral as IQuadWordPeripheral;
            Refused += words == null ? 1 : 0;
            return words == null ? 0 : words.ReadQuadWord((long)(address - place.Start));
        }

        private Place Find(ulong address)
        {
            return places.Find(place => address - place.Start < place.Size);
        }

        private readonly List<Place> places = new List<Place>();

        private const ulong GuestPage = 1024;

        // The pointer is asked for at the first access, and then never again.
        private class Place
        {
            public ulong Start;
            public ulong Size;
            public IBusPeripheral Peripheral;

            public IntPtr Mapped(ulong address)
            {
                if (pointer == IntPtr.Zero) {
                    foreach (var segment in ((IMapped)Peripheral).MappedSegments) {
                        segment.Touch();
                        pointer = segment.Pointer;
                    }
                }
                return new IntPtr(pointer.ToInt64() + (long)(address - Start));
            }

            private IntPtr pointer;
        }
    }
}
