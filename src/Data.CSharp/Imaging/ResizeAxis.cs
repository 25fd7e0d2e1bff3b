namespace CnnSpec.Data;

/// <summary>
/// The filter of one axis: for every output position, the first input position it reads and the weight of each from
/// there on.
/// </summary>
/// <remarks>Source: Pillow, <c>src/libImaging/Resample.c</c>, <c>precompute_coeffs</c> and
/// <c>normalize_coeffs_8bpc</c>.</remarks>
internal sealed class ResizeAxis
{
    /// <summary>Fraction bits of a weight: 32 less 8 for the pixel and 2 for overshoot.</summary>
    public const int PrecisionBits = 22;

    /// <summary>Half a grey level, so that the shift at the end rounds.</summary>
    public const int Half = 1 << (PrecisionBits - 1);

    private int _input;
    private int _output;
    private int _taps;
    private int[] _first = [];
    private int[] _count = [];
    private int[] _weights = [];
    private double[] _exact = [];

    public ReadOnlySpan<int> Weights(int position, out int first)
    {
        first = _first[position];
        return _weights.AsSpan(position * _taps, _count[position]);
    }

    /// <summary>
    /// Computes the weights from <paramref name="input"/> to <paramref name="output"/> positions, unless they are the
    /// ones computed last.
    /// </summary>
    public void Prepare(int input, int output)
    {
        if (input == _input && output == _output)
            return;
        (_input, _output) = (input, output);
        double scale = (double)input / output;
        double support = Math.Max(scale, 1.0);
        double inverse = 1.0 / support;
        _taps = (int)Math.Ceiling(support) * 2 + 1;
        if (_first.Length < output)
            (_first, _count) = (new int[output], new int[output]);
        if (_weights.Length < output * _taps)
            _weights = new int[output * _taps];
        if (_exact.Length < _taps)
            _exact = new double[_taps];
        for (int o = 0; o < output; o++)
        {
            double centre = (o + 0.5) * scale;
            int first = Math.Max(0, (int)(centre - support + 0.5));
            int count = Math.Min(input, (int)(centre + support + 0.5)) - first;
            double total = 0;
            for (int k = 0; k < count; k++)
            {
                double distance = Math.Abs((k + first - centre + 0.5) * inverse);
                _exact[k] = distance < 1.0 ? 1.0 - distance : 0.0;
                total += _exact[k];
            }
            int kept = 0;
            int skipped = 0;
            for (int k = 0; k < count; k++)
            {
                int weight = (int)(0.5 + _exact[k] / total * (1 << PrecisionBits));
                // Zero weights at the ends change nothing and cost a pass over the row each.
                if (weight == 0 && kept == 0)
                    skipped++;
                else
                    _weights[o * _taps + kept++] = weight;
            }
            while (kept > 1 && _weights[o * _taps + kept - 1] == 0)
                kept--;
            _first[o] = first + skipped;
            _count[o] = kept;
        }
    }
}
