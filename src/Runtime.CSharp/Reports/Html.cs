using System.Net;
using CnnSpec.Text;

namespace CnnSpec.Runtime.Reports;

/// <summary>Words of others on a page.</summary>
internal static class Html
{
    /// <summary>Neither markup nor a character that turns around what follows.</summary>
    public static string Text(string text) => WebUtility.HtmlEncode(Printable.lines(text));
}
