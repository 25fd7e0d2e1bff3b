using System.Runtime.CompilerServices;

// Tests put a fake origin or a silent host in place of the network, and look at what files of weights hold.
[assembly: InternalsVisibleTo("Runtime.Tests")]
[assembly: InternalsVisibleTo("Parity")]
