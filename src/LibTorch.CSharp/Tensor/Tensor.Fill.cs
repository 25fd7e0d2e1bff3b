using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Copies, constants and random numbers.</summary>
    public partial class Tensor
    {
        public Tensor clone() => Aten.clone.Call(this);

        public Tensor copy_(Tensor source, bool nonBlocking = false) => Aten.copy_.Update(this, source, nonBlocking);

        public Tensor zero_() => Aten.zero_.Update(this);

        public Tensor fill_(Scalar value) => Aten.fill_.Update(this, value);

        public Tensor normal_(double mean = 0, double std = 1, Generator? generator = null) =>
            Aten.normal_.Update(this, mean, std, generator);

        public Tensor uniform_(double from, double to, Generator? generator = null) =>
            Aten.uniform_.Update(this, from, to, generator);

        public Tensor bernoulli_(double p = 0.5, Generator? generator = null) =>
            Aten.bernoulli_.Update(this, p, generator);

        public Tensor random_(double from, double to, Generator? generator = null) =>
            Aten.random_.Update(this, (long)from, (long)to, generator);

        public Tensor multinomial(long num_samples, bool replacement = false, Generator? generator = null) =>
            Aten.multinomial.Call(this, num_samples, replacement, generator);

        public Tensor bernoulli(Generator? generator = null) => Aten.bernoulli.Call(this, generator);

        public Tensor exponential_(double lambda = 1, Generator? generator = null) =>
            Aten.exponential_.Update(this, lambda, generator);
    }

    public static Tensor clone(Tensor input) => input.clone();

    public static Tensor multinomial(
        Tensor input,
        long num_samples,
        bool replacement = false,
        Generator? generator = null
    ) => input.multinomial(num_samples, replacement, generator);

    public static Tensor bernoulli(Tensor input, Generator? generator = null) => input.bernoulli(generator);
}
