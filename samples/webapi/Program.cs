// A web service that says what an uploaded image shows: by TorchSharp from the folder of a run, and by ONNX Runtime from
// what `cnnspec export RUN --out net.onnx --preprocess --softmax --fold` wrote of it.
//
//   dotnet run --project samples/webapi -- RUN net.onnx
//   curl --data-binary @seven.png localhost:5000/torchsharp
using System.Text.Json;
using CnnSpec;
using CnnSpec.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

using var run = TrainedRun.Open(args[0]);
using var session = new InferenceSession(args[1]);
string[] classes = JsonSerializer.Deserialize<string[]>(session.ModelMetadata.CustomMetadataMap["class_names"])!;
int[] input = session.InputMetadata["images"].Dimensions;

var builder = WebApplication.CreateSlimBuilder(args[2..]);
builder.Logging.ClearProviders();
var app = builder.Build();

app.MapPost("/torchsharp", async (HttpRequest request) => await Answer(request, image => run.Predict(image)));

app.MapPost(
    "/onnx",
    async (HttpRequest request) =>
        await Answer(
            request,
            image =>
            {
                // Of the network's own size here; Predict resizes and crops.
                var pixels = ImageDecoder.Decode(image.ToArray(), "image").WithChannels(input[1]);
                if (pixels.Shape.Height != input[2] || pixels.Shape.Width != input[3])
                    throw new InputError($"the image is not {input[2]}×{input[3]}", "send one of that size");
                var tensor = new DenseTensor<byte>(pixels.Pixels, [1, .. input[1..]]);
                using var answers = session.Run([NamedOnnxValue.CreateFromTensor("images", tensor)]);
                return answers
                    .Single()
                    .AsTensor<float>()
                    .Select((probability, label) => new { Class = classes[label], Probability = (double)probability })
                    .OrderByDescending(guess => guess.Probability)
                    .Take(3)
                    .ToArray();
            }
        )
);

app.Run();

static async Task<IResult> Answer(HttpRequest request, Func<MemoryStream, object> predict)
{
    using var image = new MemoryStream();
    await request.Body.CopyToAsync(image);
    image.Position = 0;
    try
    {
        return Results.Json(predict(image));
    }
    catch (InputError error)
    {
        return Results.Problem(error.Message, statusCode: 400);
    }
}
