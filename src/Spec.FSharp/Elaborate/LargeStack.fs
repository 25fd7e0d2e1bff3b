/// Parsing and expansion recurse as deep as a spec nests, which the budget bounds; a thread with this much stack holds it.
module internal CnnSpec.Elaborate.LargeStack

open System.Runtime.ExceptionServices
open System.Threading

/// Bytes.
let private size = 256 * 1024 * 1024

let run (work: unit -> 'a) : 'a =
    let mutable result = Unchecked.defaultof<'a>
    let mutable failure: exn = null

    let body () =
        try
            result <- work ()
        with error ->
            failure <- error

    let thread = Thread(body, size)
    thread.Start()
    thread.Join()

    if not (isNull failure) then
        ExceptionDispatchInfo.Capture(failure).Throw()

    result
