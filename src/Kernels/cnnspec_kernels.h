/*
 * Loops of convolutional networks over plain memory: batch normalisation, max pooling, convolutions, steps of optimizers.
 *
 * Memory. A feature map is [N,H,W,C]: the channels of a pixel are neighbours ("channels-last"), float32 or bfloat16. Where
 * an argument is `cnnspec_rows`, its N·H·W rows of C values may have gaps between them, and [N,C] counts as N rows. All
 * other maps are dense. Weights, statistics and gradients of weights are dense float32. Sizes and strides count elements.
 * Data of any alignment that its element type needs will do; 64 bytes is fastest.
 *
 * Ownership. Every buffer belongs to the caller, who gives outputs of the right size; nothing is kept after a call, except
 * by `cnnspec_conv_prepare`, whose result `cnnspec_prepared_free` gives back. Inputs and outputs must not overlap unless
 * said.
 *
 * Errors. A function that can fail gives CNNSPEC_OK or what went wrong, in which case outputs are undefined. No exception
 * leaves the library.
 *
 * Threads. Work runs on the threads of OpenMP's current team size. Results do not depend on how many there are. Calls from
 * several threads at a time are allowed; `cnnspec_kernels_use` is for before the first.
 */
#ifndef CNNSPEC_KERNELS_H
#define CNNSPEC_KERNELS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* Grows with every change of this file that a caller must know of. */
#define CNNSPEC_KERNELS_ABI 1
int32_t cnnspec_kernels_abi(void);

enum { CNNSPEC_OK = 0, CNNSPEC_NO_MEMORY = 1, CNNSPEC_UNSUPPORTED = 2 };
enum { CNNSPEC_FLOAT32 = 0, CNNSPEC_BFLOAT16 = 1 };

/* The level of vector instructions in use: "base", "avx2" or "avx512". The best that the processor has, unless chosen.
 * "" where the library was compiled for another processor's levels alone: then nothing else may be called. */
const char *cnnspec_kernels_level(void);
/* Chooses a level. CNNSPEC_UNSUPPORTED where the processor or this library lacks it. */
int32_t cnnspec_kernels_use(const char *level);
/* 1 where the processor multiplies matrices of bfloat16 (AMX), which beats any saving of products. */
int32_t cnnspec_has_matrix_units(void);

typedef struct {
    void *data;     /* null: none, where an argument may be left out */
    int64_t stride; /* from one row's first channel to the next row's */
} cnnspec_rows;

/* ---- Batch normalisation: y = act(weight · (x − mean) / √(variance + epsilon) + bias + addend), by channel.
 *      Ioffe & Szegedy 2015, arXiv:1502.03167. act is ReLU where `relu`, else nothing. */
typedef struct {
    int32_t element, relu;
    int64_t rows, channels;
    double momentum, epsilon;
    const float *weight, *bias;         /* [C] each, or both null */
    float *running_mean, *running_var;  /* [C]; PyTorch's update: (1 − momentum)·old + momentum·new, unbiased variance */
    float *statistics;                  /* [4·C]: the forward pass fills it, the backward pass reads it */
} cnnspec_batch_norm;

/* In training: mean and variance are the batch's, and the running statistics take them in. `addend` may be none. */
int32_t cnnspec_batch_norm_forward(const cnnspec_batch_norm *norm, cnnspec_rows x, cnnspec_rows addend, cnnspec_rows y);
/* y: what the forward pass gave, needed where it had an addend and ReLU, else none. `masked` gets the gradient of the
 * addend, needed in the same case, else none. `passed`, a gradient of x from elsewhere, is added to dx; it may be none,
 * and it may be dx. dweight, dbias: [C], or both null. */
int32_t cnnspec_batch_norm_backward(const cnnspec_batch_norm *norm, cnnspec_rows dy, cnnspec_rows x, cnnspec_rows y,
                                    cnnspec_rows masked, cnnspec_rows passed, cnnspec_rows dx, float *dweight,
                                    float *dbias);
/* In evaluation: mean and variance are the running ones, which stay. `statistics` is not used. y may be x. */
int32_t cnnspec_batch_norm_evaluate(const cnnspec_batch_norm *norm, cnnspec_rows x, cnnspec_rows addend, cnnspec_rows y);

/* to ← from. */
int32_t cnnspec_copy_rows(int32_t element, int64_t rows, int64_t channels, cnnspec_rows from, cnnspec_rows to);
/* y ← act(y + addend); `addend` may be none. */
int32_t cnnspec_add_relu(int32_t element, int64_t rows, int64_t channels, cnnspec_rows y, cnnspec_rows addend,
                         int32_t relu);
/* sums[c] ← Σ over rows of x[·,c]. */
int32_t cnnspec_channel_sums(int32_t element, int64_t rows, int64_t channels, cnnspec_rows x, float *sums);

/* ---- Max pooling: [N,H,W,C] → [N,H',W',C], then ReLU where `relu`. Windows of at most 255 pixels. */
typedef struct {
    int64_t images, channels, height, width, out_height, out_width;
    int64_t kernel_height, kernel_width, stride_height, stride_width, pad_top, pad_left;
} cnnspec_pool;

/* `position` [N,H',W',C] gets each maximum's place in its window, for the backward pass; null: not wanted. */
int32_t cnnspec_max_pool(int32_t element, const cnnspec_pool *shape, int32_t relu, const void *x, void *y,
                         uint8_t *position);
/* `passed`, a gradient of x from elsewhere, is added to dx; it may be null. */
int32_t cnnspec_max_pool_backward(int32_t element, const cnnspec_pool *shape, const void *dy, const uint8_t *position,
                                  const void *passed, void *dx);

/* ---- Convolutions of one group: x [N,H,W,C], weight [K,C,h,w] (PyTorch's order), y [N,H',W',K]. */
typedef struct {
    int64_t images, channels, height, width, filters, out_height, out_width;
    int64_t kernel_height, kernel_width, stride_height, stride_width, pad_top, pad_left, dilation_height, dilation_width;
} cnnspec_conv;

enum { CNNSPEC_CONV_OUTPUT = 0, CNNSPEC_CONV_INPUT_GRADIENT = 1, CNNSPEC_CONV_WEIGHT_GRADIENT = 2 };

/* 1 where this library computes that product of a convolution, faster than oneDNN does; else 0, and the call below
 * gives CNNSPEC_UNSUPPORTED. */
int32_t cnnspec_conv_has(int32_t element, const cnnspec_conv *shape, int32_t product);
/* y ← convolution(x) + bias. `bias` [K] may be null. 3×3 and 5×5 windows of stride 1 are computed by Winograd's method
 * (Lavin & Gray 2016, arXiv:1509.09308), which rounds differently. */
int32_t cnnspec_conv_output(int32_t element, const cnnspec_conv *shape, const void *x, const float *weight,
                            const float *bias, void *y);
/* dx ← gradient of x + passed. `passed` may be null. */
int32_t cnnspec_conv_input_gradient(int32_t element, const cnnspec_conv *shape, const void *dy, const float *weight,
                                    const void *passed, void *dx);
/* dweight [K,C,h,w], float32. */
int32_t cnnspec_conv_weight_gradient(int32_t element, const cnnspec_conv *shape, const void *x, const void *dy,
                                     float *dweight);

/* A convolution whose weight stays: turned once into the forms that the loops read. Images, height, width and the
 * output's sizes of `shape` do not matter here. Null in `*prepared` where there is no form for it. */
typedef struct cnnspec_prepared cnnspec_prepared;
int32_t cnnspec_conv_prepare(int32_t element, const cnnspec_conv *shape, const float *weight,
                             cnnspec_prepared **prepared);
/* 1 where it is the fastest for images of this shape. */
int32_t cnnspec_prepared_has(const cnnspec_prepared *prepared, const cnnspec_conv *shape);
/* y ← act(convolution(x) + bias + addend). `bias` [K] and `addend`, as y, may be null. */
int32_t cnnspec_prepared_run(const cnnspec_prepared *prepared, const cnnspec_conv *shape, const void *x,
                             const float *bias, const void *addend, int32_t relu, void *y);
void cnnspec_prepared_free(cnnspec_prepared *prepared);

/* ---- Steps of optimizers over all parameters at once. */
typedef struct {
    float *value;          /* the parameter */
    const float *gradient;
    float *first, *second; /* momentum; or mean and square of the gradient. Null where the optimizer has none */
    int64_t count;
    float size, root;      /* Adam's: −rate / (1 − beta1^t) and √(1 − beta2^t) */
} cnnspec_parameter;

/* value −= rate · m, m = momentum · m + undampened · (gradient + decay · value); Nesterov's look ahead where asked. */
int32_t cnnspec_sgd(const cnnspec_parameter *parameters, int64_t count, float rate, float momentum, float undampened,
                    float decay, int32_t nesterov);
/* value = shrink · value + size · mean / (√square / root + epsilon). Kingma & Ba 2015, arXiv:1412.6980. */
int32_t cnnspec_adam(const cnnspec_parameter *parameters, int64_t count, float beta1, float beta2, float epsilon,
                     float decay, float shrink);
/* Σ |gradient| over all parameters: finite where each gradient is. */
int32_t cnnspec_magnitude(const cnnspec_parameter *parameters, int64_t count, double *sum);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
