using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Functions of each element alone.</summary>
    public partial class Tensor
    {
        public Tensor abs() => Aten.abs.Call(this);

        public Tensor abs_() => Aten.abs_.Update(this);

        public Tensor neg() => Aten.neg.Call(this);

        public Tensor neg_() => Aten.neg_.Update(this);

        public Tensor exp() => Aten.exp.Call(this);

        public Tensor exp_() => Aten.exp_.Update(this);

        public Tensor expm1() => Aten.expm1.Call(this);

        public Tensor expm1_() => Aten.expm1_.Update(this);

        public Tensor log() => Aten.log.Call(this);

        public Tensor log_() => Aten.log_.Update(this);

        public Tensor log1p() => Aten.log1p.Call(this);

        public Tensor log1p_() => Aten.log1p_.Update(this);

        public Tensor log2() => Aten.log2.Call(this);

        public Tensor log2_() => Aten.log2_.Update(this);

        public Tensor log10() => Aten.log10.Call(this);

        public Tensor log10_() => Aten.log10_.Update(this);

        public Tensor sqrt() => Aten.sqrt.Call(this);

        public Tensor sqrt_() => Aten.sqrt_.Update(this);

        public Tensor rsqrt() => Aten.rsqrt.Call(this);

        public Tensor rsqrt_() => Aten.rsqrt_.Update(this);

        public Tensor square() => Aten.square.Call(this);

        public Tensor reciprocal() => Aten.reciprocal.Call(this);

        public Tensor reciprocal_() => Aten.reciprocal_.Update(this);

        public Tensor floor() => Aten.floor.Call(this);

        public Tensor floor_() => Aten.floor_.Update(this);

        public Tensor ceil() => Aten.ceil.Call(this);

        public Tensor ceil_() => Aten.ceil_.Update(this);

        public Tensor trunc() => Aten.trunc.Call(this);

        public Tensor trunc_() => Aten.trunc_.Update(this);

        public Tensor sign() => Aten.sign.Call(this);

        public Tensor sign_() => Aten.sign_.Update(this);

        public Tensor sin() => Aten.sin.Call(this);

        public Tensor sin_() => Aten.sin_.Update(this);

        public Tensor cos() => Aten.cos.Call(this);

        public Tensor cos_() => Aten.cos_.Update(this);

        public Tensor tan() => Aten.tan.Call(this);

        public Tensor tan_() => Aten.tan_.Update(this);

        public Tensor tanh() => Aten.tanh.Call(this);

        public Tensor tanh_() => Aten.tanh_.Update(this);

        public Tensor sigmoid() => Aten.sigmoid.Call(this);

        public Tensor sigmoid_() => Aten.sigmoid_.Update(this);

        public Tensor erf() => Aten.erf.Call(this);

        public Tensor erf_() => Aten.erf_.Update(this);

        public Tensor logical_not() => Aten.logical_not.Call(this);

        public Tensor logical_not_() => Aten.logical_not_.Update(this);

        public Tensor isnan() => Aten.isnan.Call(this);

        public Tensor isinf() => Aten.isinf.Call(this);

        public Tensor isfinite() => Aten.isfinite.Call(this);

        public Tensor positive() => Aten.positive.Call(this);
    }

    public static Tensor abs(Tensor input) => input.abs();

    public static Tensor abs_(Tensor input) => input.abs_();

    public static Tensor neg(Tensor input) => input.neg();

    public static Tensor neg_(Tensor input) => input.neg_();

    public static Tensor exp(Tensor input) => input.exp();

    public static Tensor exp_(Tensor input) => input.exp_();

    public static Tensor expm1(Tensor input) => input.expm1();

    public static Tensor expm1_(Tensor input) => input.expm1_();

    public static Tensor log(Tensor input) => input.log();

    public static Tensor log_(Tensor input) => input.log_();

    public static Tensor log1p(Tensor input) => input.log1p();

    public static Tensor log1p_(Tensor input) => input.log1p_();

    public static Tensor log2(Tensor input) => input.log2();

    public static Tensor log2_(Tensor input) => input.log2_();

    public static Tensor log10(Tensor input) => input.log10();

    public static Tensor log10_(Tensor input) => input.log10_();

    public static Tensor sqrt(Tensor input) => input.sqrt();

    public static Tensor sqrt_(Tensor input) => input.sqrt_();

    public static Tensor rsqrt(Tensor input) => input.rsqrt();

    public static Tensor rsqrt_(Tensor input) => input.rsqrt_();

    public static Tensor square(Tensor input) => input.square();

    public static Tensor reciprocal(Tensor input) => input.reciprocal();

    public static Tensor reciprocal_(Tensor input) => input.reciprocal_();

    public static Tensor floor(Tensor input) => input.floor();

    public static Tensor floor_(Tensor input) => input.floor_();

    public static Tensor ceil(Tensor input) => input.ceil();

    public static Tensor ceil_(Tensor input) => input.ceil_();

    public static Tensor trunc(Tensor input) => input.trunc();

    public static Tensor trunc_(Tensor input) => input.trunc_();

    public static Tensor sign(Tensor input) => input.sign();

    public static Tensor sign_(Tensor input) => input.sign_();

    public static Tensor sin(Tensor input) => input.sin();

    public static Tensor sin_(Tensor input) => input.sin_();

    public static Tensor cos(Tensor input) => input.cos();

    public static Tensor cos_(Tensor input) => input.cos_();

    public static Tensor tan(Tensor input) => input.tan();

    public static Tensor tan_(Tensor input) => input.tan_();

    public static Tensor tanh(Tensor input) => input.tanh();

    public static Tensor tanh_(Tensor input) => input.tanh_();

    public static Tensor sigmoid(Tensor input) => input.sigmoid();

    public static Tensor sigmoid_(Tensor input) => input.sigmoid_();

    public static Tensor erf(Tensor input) => input.erf();

    public static Tensor erf_(Tensor input) => input.erf_();

    public static Tensor logical_not(Tensor input) => input.logical_not();

    public static Tensor isnan(Tensor input) => input.isnan();

    public static Tensor isinf(Tensor tensor) => tensor.isinf();

    public static Tensor isfinite(Tensor tensor) => tensor.isfinite();

    public static Tensor positive(Tensor input) => input.positive();
}
