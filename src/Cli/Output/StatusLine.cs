namespace CnnSpec.Cli.Output;

/// <summary>A line at the bottom of standard error that is drawn over; whole lines scroll above it.</summary>
public sealed class StatusLine : IDisposable
{
    private bool _shown;

    /// <summary>Draws the line anew; nothing where standard error is no terminal.</summary>
    public void Show(string text)
    {
        if (!Terminal.IsLive)
            return;
        int width = Math.Max(20, Width() - 1);
        Console.Error.Write("\r\e[2K" + (text.Length > width ? text[..width] : text));
        _shown = true;
    }

    /// <summary>Prints a line that stays.</summary>
    public void Say(string text)
    {
        Clear();
        Console.Error.WriteLine(text);
    }

    public void Clear()
    {
        if (_shown)
            Console.Error.Write("\r\e[2K");
        _shown = false;
    }

    private static int Width()
    {
        try
        {
            return Console.WindowWidth is > 0 and var width ? width : 80;
        }
        catch (IOException)
        {
            return 80;
        }
    }

    public void Dispose() => Clear();
}
