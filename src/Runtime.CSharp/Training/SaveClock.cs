using System.Diagnostics;

namespace CnnSpec.Runtime.Training;

/// <summary>When to save in the midst of an epoch: every so often, and so seldom that saving takes at most a twentieth of
/// the time.</summary>
internal sealed class SaveClock(TimeSpan every)
{
    private const int LeastRatio = 20;
    private readonly Stopwatch _since = Stopwatch.StartNew();
    private TimeSpan _cost;

    public bool IsDue => _since.Elapsed >= every && _since.Elapsed >= LeastRatio * _cost;

    public void Around(Action save)
    {
        _since.Restart();
        save();
        _cost = _since.Elapsed;
        _since.Restart();
    }
}
