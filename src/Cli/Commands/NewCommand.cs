using System.CommandLine;
using System.Text;
using CnnSpec.Cli.Output;
using CnnSpec.Data;
using CnnSpec.Runtime;
using CnnSpec.Syntax;
using CnnSpec.Text;

namespace CnnSpec.Cli.Commands;

/// <summary><c>cnnspec new</c>: a small spec to begin from.</summary>
public static class NewCommand
{
    /// <summary>Trains on generated data in seconds, and shows a block, a loop and a recipe.</summary>
    public const string Starter = """
        // A small residual network. Check it, look at it, train it:
        //   cnnspec check FILE, cnnspec summary FILE, cnnspec train FILE
        network Starter(classes = 10, widths = [16, 32, 64]) {
          input 1 x 28 x 28
          conv(widths[0], kernel=3, padding=1, bias=false); batch_norm; relu
          for out in widths { Residual(out, stride=2) }
          global_avg_pool; flatten
          linear(classes)
        }

        block Residual(out, stride) {
          add {
            main: {
              conv(out, kernel=3, stride=stride, padding=1, bias=false); batch_norm; relu
              conv(out, kernel=3, padding=1, bias=false); batch_norm
            }
            skip: if stride > 1 or channels != out { conv(out, kernel=1, stride=stride, bias=false); batch_norm }
          }
          relu
        }

        train {
          data = shapes()
          normalize = dataset()
          augment = [flip()]
          optimizer = adamw(lr=2e-3)
          schedule = one_cycle()
          epochs = 5; batch = 128
        }

        """;

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The spec to write, such as mine.cnn" };
        var command = new Command(
            "new",
            """
            Write a small spec to begin from: a residual network that trains on generated images at once.

            Example:
              cnnspec new mine.cnn
            """
        );
        command.Arguments.Add(file);
        command.SetAction(result =>
        {
            string path = result.GetValue(file)!;
            if (System.IO.File.Exists(path) || Directory.Exists(path))
                throw new InputError($"{path} is there already", "choose another name");
            var source = SourceModule.create("starter.cnn", Starter.Replace("FILE", path));
            string text = SpecSyntaxModule.ofPath(path).IsCnn
                ? source.Text
                : Compile.rewrite(SpecSyntax.Yaml, source).ResultValue;
            AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
            Terminal.Result($"{path}: written; try 'cnnspec train {path}'");
            return ExitCode.Fine;
        });
        return command;
    }
}
