using CnnSpec.Data;
using NUnit.Framework;

namespace CnnSpec.Runtime.Tests.Data;

/// <summary>A script stands in for npm, so that nothing is fetched.</summary>
[Platform("Linux,MacOsX")]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class NpmPackTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TestFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public async Task The_archive_is_the_last_line_that_npm_prints()
    {
        string npm = Script("echo notice; echo archive > shapes-1.0.0.tgz; echo shapes-1.0.0.tgz");
        string path = await NpmPack.Fetch(npm, "shapes@1.0.0", _folder.Path, Minute, CancellationToken.None);
        Assert.That(path, Is.EqualTo(_folder.File("shapes-1.0.0.tgz")));
    }

    [Test]
    public void A_missing_npm_is_said_to_be_missing() => Fails(_folder.File("no-npm"), "npm is not installed");

    [Test]
    public void A_failure_repeats_what_npm_said() =>
        Fails(Script("echo no such package >&2; exit 1"), "npm pack a@1 failed: no such package");

    [Test]
    public void A_success_without_an_archive_is_a_failure() => Fails(Script("echo a-1.tgz"), "left no archive");

    [Test, CancelAfter(20_000)]
    public void Cancelling_ends_npm(CancellationToken limit)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(limit);
        cancel.CancelAfter(200);
        string npm = Script("sleep 2; touch finished");
        Assert.That(
            async () => await NpmPack.Fetch(npm, "a@1", _folder.Path, Minute, cancel.Token),
            Throws.InstanceOf<OperationCanceledException>()
        );
        Thread.Sleep(2_200);
        Assert.That(File.Exists(_folder.File("finished")), Is.False, "the child went on");
    }

    [Test]
    public async Task A_hanging_npm_is_ended()
    {
        string npm = Script("sleep 60");
        try
        {
            await NpmPack.Fetch(npm, "a@1", _folder.Path, TimeSpan.FromSeconds(0.3), CancellationToken.None);
            Assert.Fail("it was waited for");
        }
        catch (SourceUnavailableException e)
        {
            Assert.That(e.Message, Does.StartWith("npm pack a@1 did not end within"));
        }
    }

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private void Fails(string npm, string why) =>
        Assert.That(
            async () => await NpmPack.Fetch(npm, "a@1", _folder.Path, Minute, CancellationToken.None),
            Throws.TypeOf<SourceUnavailableException>().With.Message.Contains(why)
        );

    private string Script(string body)
    {
        string path = _folder.Write("npm", System.Text.Encoding.UTF8.GetBytes("#!/bin/sh\n" + body + "\n"));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
