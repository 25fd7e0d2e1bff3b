using System.Runtime.CompilerServices;

// Tests put a fake origin or a silent host in place of the network.
[assembly: InternalsVisibleTo("Runtime.Tests")]
[assembly: InternalsVisibleTo("CnnSpec.Runtime")]
