using CnnSpec.Ir;

namespace CnnSpec.Runtime.Training;

/// <summary>What a plateau schedule has seen so far; epochs without a lower loss cut the rate.</summary>
/// <param name="Lowest">The lowest loss; null before the first.</param>
/// <param name="Bad">Epochs in a row that did not bring a lower one.</param>
/// <param name="Cooldown">Epochs still to be left uncounted.</param>
/// <param name="Factor">What the cuts so far come to.</param>
internal sealed record PlateauWait(double? Lowest = null, int Bad = 0, int Cooldown = 0, double Factor = 1)
{
    /// <summary>A cut that changes the factor by less is not made, as in PyTorch.</summary>
    private const double LeastCut = 1e-8;

    /// <summary>After an epoch with this loss: PyTorch's <c>ReduceLROnPlateau</c>, mode <c>min</c>, threshold relative.</summary>
    public PlateauWait After(Schedule.Plateau rule, double loss)
    {
        bool lower = double.IsFinite(loss) && (Lowest is not { } lowest || loss < lowest * (1 - rule.threshold));
        int bad = lower || Cooldown > 0 ? 0 : Bad + 1;
        var next = this with { Lowest = lower ? loss : Lowest, Bad = bad, Cooldown = Math.Max(0, Cooldown - 1) };
        if (bad <= rule.patience)
            return next;
        double cut = Math.Max(Factor * rule.factor, rule.floor);
        return next with { Bad = 0, Cooldown = rule.cooldown, Factor = Factor - cut > LeastCut ? cut : Factor };
    }
}

/// <summary>What early stopping has seen so far.</summary>
/// <param name="Best">The accuracy to beat; null before the first.</param>
/// <param name="Waited">Epochs in a row that did not beat it.</param>
internal sealed record StopWait(double? Best = null, int Waited = 0)
{
    public StopWait After(EarlyStop rule, double accuracy) =>
        Best is not { } best || accuracy > best + rule.MinDelta
            ? new StopWait(accuracy)
            : this with
            {
                Waited = Waited + 1,
            };
}
