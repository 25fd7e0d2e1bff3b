using System.Globalization;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Where a tensor's memory is: <c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>.</summary>
    public class Device
    {
        public Device(string description)
        {
            var colon = description.IndexOf(':');
            type = TypeOf(colon < 0 ? description : description[..colon]);
            index =
                colon < 0 ? DefaultIndex(type) : int.Parse(description[(colon + 1)..], CultureInfo.InvariantCulture);
        }

        public Device(string deviceType, int index = -1)
            : this(TypeOf(deviceType), index) { }

        public Device(DeviceType deviceType, int index = -1)
        {
            type = deviceType;
            this.index = index < 0 ? DefaultIndex(deviceType) : index;
        }

        public Device(int index)
            : this(DeviceType.CUDA, index) { }

        public DeviceType type { get; }

        /// <summary>Which of its kind; -1 where there is only one.</summary>
        public int index { get; }

        public static implicit operator Device(string description) => new(description);

        public override string ToString()
        {
            var name = type.ToString().ToLowerInvariant();
            return index < 0 ? name : $"{name}:{index}";
        }

        internal bool SameAs(Device other) => type == other.type && index == other.index;

        private static int DefaultIndex(DeviceType type) => type == DeviceType.CUDA ? 0 : -1;

        private static DeviceType TypeOf(string name) =>
            name switch
            {
                "cpu" => DeviceType.CPU,
                "cuda" => DeviceType.CUDA,
                "meta" => DeviceType.META,
                "mps" => DeviceType.MPS,
                _ => throw new ArgumentException($"'{name}' is not a device; try cpu, cuda or cuda:1.", nameof(name)),
            };
    }

    public static Device device(string description) => new(description);

    public static Device device(string deviceType, int index = -1) => new(deviceType, index);

    public static Device device(DeviceType deviceType, int index = -1) => new(deviceType, index);

    public static Device device(int index) => new(index);

    public static readonly Device CPU = new(DeviceType.CPU);

    public static readonly Device META = new(DeviceType.META);

    public static Device CUDA => new(DeviceType.CUDA);
}
