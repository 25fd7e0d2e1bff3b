using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Comparisons, logic, and choosing by them.</summary>
    public partial class Tensor
    {
        public Tensor eq(Tensor target) => Aten.eq.Call(this, target);

        public Tensor eq(Scalar target) => Aten.eqScalar.Call(this, target);

        public Tensor ne(Tensor target) => Aten.ne.Call(this, target);

        public Tensor ne(Scalar target) => Aten.neScalar.Call(this, target);

        public Tensor lt(Tensor target) => Aten.lt.Call(this, target);

        public Tensor lt(Scalar target) => Aten.ltScalar.Call(this, target);

        public Tensor le(Tensor target) => Aten.le.Call(this, target);

        public Tensor le(Scalar target) => Aten.leScalar.Call(this, target);

        public Tensor gt(Tensor target) => Aten.gt.Call(this, target);

        public Tensor gt(Scalar target) => Aten.gtScalar.Call(this, target);

        public Tensor ge(Tensor target) => Aten.ge.Call(this, target);

        public Tensor ge(Scalar target) => Aten.geScalar.Call(this, target);

        public Tensor logical_and(Tensor other) => Aten.logical_and.Call(this, other);

        public Tensor logical_or(Tensor other) => Aten.logical_or.Call(this, other);

        public Tensor logical_xor(Tensor other) => Aten.logical_xor.Call(this, other);

        public Tensor bitwise_and(Tensor other) => Aten.bitwise_and.Call(this, other);

        public Tensor bitwise_or(Tensor other) => Aten.bitwise_or.Call(this, other);

        public Tensor bitwise_xor(Tensor other) => Aten.bitwise_xor.Call(this, other);

        public Tensor bitwise_not() => Aten.bitwise_not.Call(this);

        public Tensor isclose(Tensor other, double rtol = 1E-05, double atol = 1E-08, bool nanEqual = false) =>
            Aten.isclose.Call(this, other, rtol, atol, nanEqual);

        public bool allclose(Tensor target, double rtol = 1E-05, double atol = 1E-08, bool equal_nan = false) =>
            Aten.allclose.CallScalar(this, target, rtol, atol, equal_nan).ToBoolean();

        public Tensor where(Tensor condition, Tensor y) => Aten.where.Call(condition, this, y);

        public Tensor masked_fill(Tensor mask, Scalar value) => Aten.masked_fill.Call(this, mask, value);

        public Tensor masked_fill_(Tensor mask, Scalar value) => Aten.masked_fill_.Update(this, mask, value);

        public Tensor masked_select(Tensor mask) => Aten.masked_select.Call(this, mask);
    }

    public static Tensor eq(Tensor left, Tensor right) => left.eq(right);

    public static Tensor ne(Tensor left, Tensor right) => left.ne(right);

    public static Tensor lt(Tensor left, Tensor right) => left.lt(right);

    public static Tensor le(Tensor left, Tensor right) => left.le(right);

    public static Tensor gt(Tensor left, Tensor right) => left.gt(right);

    public static Tensor ge(Tensor left, Tensor right) => left.ge(right);

    public static Tensor logical_and(Tensor left, Tensor right) => left.logical_and(right);

    public static Tensor logical_or(Tensor left, Tensor right) => left.logical_or(right);

    public static Tensor logical_xor(Tensor left, Tensor right) => left.logical_xor(right);

    public static Tensor bitwise_and(Tensor left, Tensor right) => left.bitwise_and(right);

    public static Tensor bitwise_or(Tensor left, Tensor right) => left.bitwise_or(right);

    public static Tensor bitwise_xor(Tensor left, Tensor right) => left.bitwise_xor(right);

    public static Tensor bitwise_not(Tensor input) => input.bitwise_not();

    public static Tensor isclose(
        Tensor tensor,
        Tensor other,
        double rtol = 1E-05,
        double atol = 1E-08,
        bool nanEqual = false
    ) => tensor.isclose(other, rtol, atol, nanEqual);

    public static bool allclose(
        Tensor tensor,
        Tensor target,
        double rtol = 1E-05,
        double atol = 1E-08,
        bool equal_nan = false
    ) => tensor.allclose(target, rtol, atol, equal_nan);

    public static Tensor where(Tensor condition, Tensor x, Tensor y) => Aten.where.Call(condition, x, y);

    public static Tensor masked_select(Tensor input, Tensor mask) => input.masked_select(mask);
}
