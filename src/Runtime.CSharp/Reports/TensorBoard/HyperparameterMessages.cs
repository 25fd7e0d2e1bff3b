using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Setting = System.Collections.Generic.KeyValuePair<string, Google.Protobuf.WellKnownTypes.Value>;

namespace CnnSpec.Runtime.Reports.TensorBoard;

/// <summary>
/// What TensorBoard's page of hyperparameters reads. TorchSharp has no classes for these messages, so their fields are
/// written by number: https://github.com/tensorflow/tensorboard, tensorboard/plugins/hparams/plugin_data.proto.
/// </summary>
internal static class HyperparameterMessages
{
    private enum SettingType
    {
        Text = 1,
        Bool = 2,
        Float64 = 3,
    }

    private const int Success = 1;

    /// <summary>The names and types of the settings, and what runs are compared by.</summary>
    public static ByteString Experiment(IEnumerable<Setting> settings, string metric) =>
        Message(data =>
            data.Write(
                2,
                Message(experiment =>
                {
                    foreach (var setting in settings)
                        experiment.Write(
                            4,
                            Message(info =>
                            {
                                info.Write(1, setting.Key);
                                info.Write(4, (int)TypeOf(setting.Value));
                            })
                        );
                    experiment.Write(5, Message(info => info.Write(1, Message(name => name.Write(2, metric)))));
                })
            )
        );

    /// <summary>The settings of this run, and when it began, in seconds since 1970.</summary>
    public static ByteString SessionStart(IEnumerable<Setting> settings, double seconds) =>
        Message(data =>
            data.Write(
                3,
                Message(session =>
                {
                    foreach (var setting in settings)
                        session.Write(
                            1,
                            Message(entry =>
                            {
                                entry.Write(1, setting.Key);
                                entry.Write(2, setting.Value.ToByteString());
                            })
                        );
                    session.Write(5, seconds);
                })
            )
        );

    /// <summary>That the run came to its end, and when.</summary>
    public static ByteString SessionEnd(double seconds) =>
        Message(data =>
            data.Write(
                4,
                Message(session =>
                {
                    session.Write(1, Success);
                    session.Write(2, seconds);
                })
            )
        );

    private static SettingType TypeOf(Value value) =>
        value.KindCase switch
        {
            Value.KindOneofCase.NumberValue => SettingType.Float64,
            Value.KindOneofCase.BoolValue => SettingType.Bool,
            _ => SettingType.Text,
        };

    private static ByteString Message(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var stream = new CodedOutputStream(bytes))
            write(stream);
        return ByteString.CopyFrom(bytes.ToArray());
    }

    private static void Write(this CodedOutputStream stream, int field, ByteString message)
    {
        stream.WriteTag(field, WireFormat.WireType.LengthDelimited);
        stream.WriteBytes(message);
    }

    private static void Write(this CodedOutputStream stream, int field, string text)
    {
        stream.WriteTag(field, WireFormat.WireType.LengthDelimited);
        stream.WriteString(text);
    }

    private static void Write(this CodedOutputStream stream, int field, int number)
    {
        stream.WriteTag(field, WireFormat.WireType.Varint);
        stream.WriteInt32(number);
    }

    private static void Write(this CodedOutputStream stream, int field, double number)
    {
        stream.WriteTag(field, WireFormat.WireType.Fixed64);
        stream.WriteDouble(number);
    }
}
