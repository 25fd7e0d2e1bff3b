namespace CnnSpec.Data;

/// <summary>The symmetric beta distribution, Beta(α, α), which mixup draws its weights from.</summary>
internal static class BetaDistribution
{
    /// <summary>One draw in [0, 1].</summary>
    public static double Draw(double alpha, ref RandomStream random) =>
        alpha <= 1 ? Johnk(alpha, ref random) : Cheng(alpha, ref random);

    /// <summary>Jöhnk 1964: two powers of uniforms, kept when they sum to at most 1. Right for small α.</summary>
    private static double Johnk(double alpha, ref RandomStream random)
    {
        while (true)
        {
            double x = Math.Pow(random.NextDouble(), 1 / alpha);
            double y = Math.Pow(random.NextDouble(), 1 / alpha);
            if (x + y is > 0 and <= 1)
                return x / (x + y);
        }
    }

    /// <summary>Cheng 1978, algorithm BB, for equal parameters above 1.</summary>
    private static double Cheng(double alpha, ref RandomStream random)
    {
        double sum = 2 * alpha;
        double beta = Math.Sqrt((sum - 2) / (2 * alpha * alpha - sum));
        double gamma = alpha + 1 / beta;
        while (true)
        {
            double u = random.NextDouble();
            double z = u * u * random.NextDouble();
            if (z == 0)
                continue;
            double v = beta * Math.Log(u / (1 - u));
            double w = alpha * Math.Exp(v);
            double r = gamma * v - Math.Log(4);
            double s = alpha + r - w;
            double logZ = Math.Log(z);
            if (s + 1 + Math.Log(5) >= 5 * z || s >= logZ || r + sum * Math.Log(sum / (alpha + w)) >= logZ)
                return w / (alpha + w);
        }
    }
}
