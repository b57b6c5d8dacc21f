// SPDX-License-Identifier: BSD-3-Clause
// Save and Load as Migrant does them: a copy of the graph of objects, field by field.  A field that is [Transient] is
// left out; an address, a thread or a delegate in any other field is refused.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.Serialization;
using System.Threading;
using Antmicro.Migrant;
using Antmicro.Migrant.Hooks;

public class Snapshot
{
    // Objects of the machine's own are not copied: `instead` says what stands for them.
    public Snapshot(IDictionary<object, object> instead, params object[] roots)
    {
        copies = new Dictionary<object, object>(instead, new ByReference());
        this.roots = roots;
        Save();
    }

    // In the order in which they were given, or against it.
    public T[] Load<T>(bool backwards)
    {
        var loaded = roots.Select(root => copies[root]).ToArray();
        var fresh = made.Where(one => one != null).ToList();
        if (backwards) {
            fresh.Reverse();
        }
        foreach (var one in fresh) {
            Call<LatePostDeserializationAttribute>(one);
        }
        return loaded.Cast<T>().ToArray();
    }

    private void Save()
    {
        foreach (var root in roots) {
            Call<PreSerializationAttribute>(root);
        }
        foreach (var root in roots) {
            Copy(root);
        }
    }

    private object Copy(object from)
    {
        object to;
        if (from == null || from is string || from.GetType().IsPrimitive) {
            return from;
        }
        if (copies.TryGetValue(from, out to)) {
            return to;
        }
        return from is Array ? CopyArray((Array)from) : CopyFields(from);
    }

    private object CopyArray(Array from)
    {
        var to = Array.CreateInstance(from.GetType().GetElementType(), from.Length);
        copies[from] = to;
        for (var i = 0; i < from.Length; i++) {
            to.SetValue(Copy(from.GetValue(i)), i);
        }
        return to;
    }

    private object CopyFields(object from)
    {
        var to = FormatterServices.GetUninitializedObject(from.GetType());
        if (!from.GetType().IsValueType) {
            copies[from] = to;
            made.Add(to);
        }
        foreach (var field in FieldsOf(from.GetType())) {
            Refuse(field);
            field.SetValue(to, Copy(field.GetValue(from)));
        }
        return to;
    }

    private static IEnumerable<FieldInfo> FieldsOf(Type type)
    {
        for (; type != null; type = type.BaseType) {
            foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic |
                                                 BindingFlags.DeclaredOnly)) {
                if (!field.GetCustomAttributes(typeof(TransientAttribute), false).Any() &&
                    !field.FieldType.GetCustomAttributes(typeof(TransientAttribute), false).Any()) {
                    yield return field;
                }
            }
        }
    }

    private static void Refuse(FieldInfo field)
    {
        var type = field.FieldType;
        if (type == typeof(IntPtr) || type == typeof(Thread) || typeof(Delegate).IsAssignableFrom(type) ||
            typeof(Delegate[]).IsAssignableFrom(type)) {
            throw new Failure(String.Format("{0}.{1} cannot be saved", field.DeclaringType.Name, field.Name));
        }
    }

    private static void Call<T>(object one)
    {
        foreach (var method in one.GetType().GetMethods(BindingFlags.Instance | BindingFlags.NonPublic)) {
            if (method.GetCustomAttributes(typeof(T), false).Any()) {
                try {
                    method.Invoke(one, null);
                } catch (TargetInvocationException e) {
                    throw e.InnerException;
                }
            }
        }
    }

    private readonly Dictionary<object, object> copies;
    private readonly List<object> made = new List<object>();
    private readonly object[] roots;

    private class ByReference : IEqualityComparer<object>
    {
        bool IEqualityComparer<object>.Equals(object a, object b) { return ReferenceEquals(a, b); }

        int IEqualityComparer<object>.GetHashCode(object a)
        {
            return System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(a);
        }
    }
}
