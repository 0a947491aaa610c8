import AWSClientTestSupport
import Testing

@testable import AWSClient

/// Settings from variables and files that are only here.
private func settings(
  _ variables: [String: String] = [:], profile: String? = nil, files: [String: String] = [:]
) throws(AWSClientError) -> AWSSettings {
  try AWSSettings(variables: variables.merging(["HOME": "/home/u"]) { mine, _ in mine }, profile: profile) { path in
    files[path].map { Array($0.utf8) }
  }
}

private let keys = ["AWS_ACCESS_KEY_ID": "env-id", "AWS_SECRET_ACCESS_KEY": "env-secret"]

@Suite struct `Shared files of AWS's tools` {
  @Test func `have sections, keys and nested keys`() {
    let file = SharedFile(
      """
      ignored = before any section
      # a comment
      ; another
      [default]
      region=eu-west-1
        [ profile  "dev" ]
      [profile dev]
      Region = eu-central-1\r
      services = local
      nothing
      =value
      [services local]
      lambda =
        endpoint_url = http://127.0.0.1:27316
        # a comment
        other = 1
      s3 =
      \tendpoint_url = http://s3
      [unclosed
      lost = 1
      """)
    #expect(file.sections["default"]?["region"]?.text == "eu-west-1")
    #expect(file.sections["profile dev"]?["region"]?.text == "eu-central-1")
    #expect(
      file.sections["services local"]?["lambda"]?.nested == ["endpoint_url": "http://127.0.0.1:27316", "other": "1"])
    #expect(file.sections["services local"]?["s3"]?.nested == ["endpoint_url": "http://s3"])
    #expect(file.sections.values.allSatisfy { $0["lost"] == nil && $0["ignored"] == nil })
  }

  @Test func `are passed over where they make no sense`() {
    #expect(SharedFile("").sections.isEmpty)
    #expect(SharedFile("\u{0}[[[]=]]\n==\n[]\nx=1").sections[""]?["x"]?.text == "1")
  }
}

@Suite struct `Settings of AWS's tools` {
  private static let files = [
    "/home/u/.aws/config": """
    [default]
    region = eu-west-1
    [profile dev]
    region = eu-central-1
    endpoint_url = http://profile
    services = local
    [services local]
    lambda =
      endpoint_url = http://services
    """,
    "/home/u/.aws/credentials": "[default]\naws_access_key_id = file-id\naws_secret_access_key = file-secret\n",
    "/elsewhere": "[profile dev]\nregion = us-west-2\n",
  ]

  @Test(
    arguments: [
      ([:], nil, "eu-west-1"), (["AWS_PROFILE": "dev"], nil, "eu-central-1"), ([:], "dev", "eu-central-1"),
      (["AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"], "dev", "a"), (["AWS_DEFAULT_REGION": "b"], nil, "b"),
      (["AWS_REGION": ""], nil, "eu-west-1"), (["AWS_CONFIG_FILE": "/elsewhere"], "dev", "us-west-2"),
      (["AWS_CONFIG_FILE": "/none"], nil, nil),
    ] as [([String: String], String?, String?)])
  func `have a region`(_ variables: [String: String], profile: String?, region: String?) throws {
    #expect(try settings(variables, profile: profile, files: Self.files).region == region)
  }

  @Test(
    arguments: [
      ([:], nil, nil), ([:], "dev", "http://services"), (["AWS_ENDPOINT_URL": "http://all"], "dev", "http://all"),
      (["AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_LAMBDA": "http://l"], nil, "http://l"),
      (["AWS_ENDPOINT_URL": "http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"], "dev", nil),
    ] as [([String: String], String?, String?)])
  func `have an endpoint if they were told one`(
    _ variables: [String: String], profile: String?, endpoint: String?
  ) throws {
    #expect(try settings(variables, profile: profile, files: Self.files).endpoint(of: .lambda) == endpoint)
  }

  @Test func `name a profile that is not there`() async {
    let error = await failure { try settings(["AWS_PROFILE": "missing"], files: Self.files) }
    #expect(error?.code == .settings)
    #expect(
      error?.message
        == #"There is no profile "missing" in /home/u/.aws/config or /home/u/.aws/credentials."#)
  }

  @Test(arguments: [(nil, 3), ("7", 7), ("0", 1), ("many", 3), ("1000", 20)] as [(String?, Int)])
  func `limit attempts`(_ text: String?, limit: Int) throws {
    #expect(try settings(text.map { ["AWS_MAX_ATTEMPTS": $0] } ?? [:]).attemptsLimit == limit)
  }
}

@Suite struct `The chain of credentials` {
  private static let files = [
    "/home/u/.aws/config": """
    [profile role]
    role_arn = arn:aws:iam::1:role/r
    source_profile = default
    [profile sso]
    sso_session = corp
    [profile program]
    credential_process = /bin/keys
    [profile half]
    aws_access_key_id = id
    [profile configured]
    aws_access_key_id = config-id
    aws_secret_access_key = config-secret
    """,
    "/home/u/.aws/credentials": """
    [default]
    aws_access_key_id = file-id
    aws_secret_access_key = file-secret
    aws_session_token = file-token
    """,
    "/token": "from-file\n",
  ]

  private func credentials(
    _ variables: [String: String], profile: String? = nil, files: [String: String] = [:],
    transport: FakeTransport = FakeTransport(), asksNetwork: Bool = true
  ) async throws -> AWSCredentials? {
    try await CredentialChain(
      settings: settings(variables, profile: profile, files: files), transport: transport
    ).credentials(asksNetwork: asksNetwork)
  }

  @Test func `takes the environment first`() async throws {
    let found = try await credentials(keys.merging(["AWS_SESSION_TOKEN": "t"]) { $1 }, files: Self.files)
    #expect(found?.accessKeyID == "env-id")
    #expect(found?.secretAccessKey == "env-secret")
    #expect(found?.sessionToken == "t")
    #expect(found?.source == "the environment")
  }

  @Test func `takes a profile that the command line names before the environment`() async throws {
    #expect(try await credentials(keys, profile: "configured", files: Self.files)?.accessKeyID == "config-id")
    #expect(
      try await credentials(
        keys.merging(["AWS_PROFILE": "configured"]) { $1 }, files: Self.files)?.accessKeyID == "env-id")
  }

  @Test func `takes the profile's keys where the environment has none`() async throws {
    let found = try await credentials([:], files: Self.files)
    #expect(found?.accessKeyID == "file-id")
    #expect(found?.sessionToken == "file-token")
    #expect(found?.source == #"profile "default""#)
  }

  @Test(arguments: [
    ("role", "assumes a role (role_arn with source_profile)"), ("sso", "signs in through a browser (sso_session)"),
    ("program", "asks a program (credential_process)"),
  ])
  func `says what to do about a profile that needs more`(_ profile: String, reason: String) async {
    let error = await failure { try await credentials([:], profile: profile, files: Self.files) }
    #expect(error?.code == .credentials)
    #expect(error?.message.contains(reason) == true)
    #expect(error?.message.contains("aws configure export-credentials --profile \(profile) --format env") == true)
  }

  @Test func `does not go on from what is half there`() async {
    let half = await failure { try await credentials(["AWS_ACCESS_KEY_ID": "id"], files: Self.files) }
    #expect(half?.message == "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not; set both.")
    let profile = await failure { try await credentials([:], profile: "half", files: Self.files) }
    #expect(profile?.message.contains("no aws_secret_access_key") == true)
    let identity = await failure {
      try await credentials(["AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "arn"], files: Self.files)
    }
    #expect(identity?.code == .credentials)
  }

  private static let document =
    #"{"AccessKeyId":"id","SecretAccessKey":"secret","Token":"t","Expiration":"2026-11-25T00:00:00Z"}"#

  @Test func `asks the container's endpoint with the token of the file`() async throws {
    let transport = FakeTransport([HTTPResult(200, Self.document)])
    let found = try await credentials(
      [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/keys?x=1", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "no",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/token",
      ], files: ["/token": "from-file\n"], transport: transport)
    #expect(found?.accessKeyID == "id")
    #expect(found?.sessionToken == "t")
    #expect(transport.asked.map(\.url) == ["http://127.0.0.1:9/keys?x=1"])
    #expect(transport.asked[0].headers.contains(Header("Authorization", "from-file")))
  }

  @Test func `asks AWS's own endpoint for a relative address`() async throws {
    let transport = FakeTransport([HTTPResult(200, Self.document)])
    let found = try await credentials(
      ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/keys"], transport: transport)
    #expect(found?.source == "the container's endpoint")
    #expect(transport.asked.map(\.url) == ["http://169.254.170.2/v2/keys"])
  }

  @Test(arguments: ["http://evil.example/keys", "https://169.254.170.2.evil.example/", "http://127.evil.example"])
  func `does not ask an endpoint that could be anybody's`(_ url: String) async {
    let transport = FakeTransport([HTTPResult(200, Self.document)])
    let error = await failure {
      try await credentials(
        ["AWS_CONTAINER_CREDENTIALS_FULL_URI": url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret"], transport: transport
      )
    }
    #expect(error?.code == .credentials)
    #expect(transport.asked.isEmpty)
  }

  @Test func `sends no token that would be more than one header`() async {
    let transport = FakeTransport([HTTPResult(200, Self.document)])
    let error = await failure {
      try await credentials(
        [
          "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a\r\nX: b",
        ], transport: transport)
    }
    #expect(error?.code == .credentials)
    #expect(transport.asked.isEmpty)
  }

  @Test(arguments: [HTTPResult(500), HTTPResult(200, "<html>"), HTTPResult(200, #"{"Code":"Failed","Message":"why"}"#)])
  fileprivate func `says so if the container's endpoint has none`(_ result: HTTPResult) async {
    let error = await failure {
      try await credentials(
        ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost/"], transport: FakeTransport([result]))
    }
    #expect(error?.code == .credentials)
  }

  @Test func `asks the machine's metadata with a token, then the role`() async throws {
    let transport = FakeTransport([
      HTTPResult(200, "metadata-token"), HTTPResult(200, "my role\n"),
      HTTPResult(200, #"{"Code":"Success","AccessKeyId":"id","SecretAccessKey":"secret","Token":"t"}"#),
    ])
    let found = try await credentials(
      ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9/"], transport: transport)
    #expect(found?.source == "the machine's metadata (role my role)")
    #expect(
      transport.asked.map { "\($0.method) \($0.url)" } == [
        "PUT http://127.0.0.1:9/latest/api/token",
        "GET http://127.0.0.1:9/latest/meta-data/iam/security-credentials/",
        "GET http://127.0.0.1:9/latest/meta-data/iam/security-credentials/my%20role",
      ])
    #expect(transport.asked[0].headers == [Header("X-aws-ec2-metadata-token-ttl-seconds", "21600")])
    #expect(transport.asked[2].headers == [Header("X-aws-ec2-metadata-token", "metadata-token")])
    #expect(transport.asked.allSatisfy { $0.timeout <= .seconds(1) })
  }

  @Test func `finds none where nobody answers`() async throws {
    let transport = FakeTransport()
    #expect(try await credentials([:], transport: transport) == nil)
    #expect(transport.asked.map(\.url) == ["http://169.254.169.254/latest/api/token"])
  }

  @Test func `leaves the network alone where it is told to`() async throws {
    for (variables, asks) in [(["AWS_EC2_METADATA_DISABLED": "true"], true), ([:], false)] {
      let transport = FakeTransport()
      #expect(try await credentials(variables, transport: transport, asksNetwork: asks) == nil)
      #expect(transport.asked.isEmpty)
    }
  }
}

@Suite struct `A connection` {
  private func client(
    _ target: ServiceConnection.Target, region: String? = nil, _ variables: [String: String] = [:],
    transport: FakeTransport = FakeTransport()
  ) async throws -> ServiceClient {
    try await ServiceConnection.client(
      of: .lambda, at: target, region: region, settings: settings(variables), transport: transport)
  }

  @Test func `to this machine needs no credentials and asks nobody for some`() async throws {
    let transport = FakeTransport()
    let local = try await client(.endpoint(EndpointURL("http://127.0.0.1:27316")), transport: transport)
    #expect(local.credentials == .local)
    #expect(local.region == "us-east-1")
    #expect(transport.asked.isEmpty)
    let half = try await client(
      .endpoint(EndpointURL("http://localhost:1")), ["AWS_ACCESS_KEY_ID": "id"], transport: transport)
    #expect(half.credentials == .local)
    let own = try await client(.endpoint(EndpointURL("http://localhost:1")), keys, transport: transport)
    #expect(own.credentials.accessKeyID == "env-id")
  }

  @Test func `to AWS goes to the region's own endpoint, or to the one that AWS's tools are told`() async throws {
    let usual = try await client(.aws, region: "cn-north-1", keys)
    #expect("\(usual.endpoint)" == "https://lambda.cn-north-1.amazonaws.com.cn")
    let told = try await client(
      .aws, region: "eu-west-1", keys.merging(["AWS_ENDPOINT_URL": "https://vpce.example"]) { $1 })
    #expect("\(told.endpoint)" == "https://vpce.example")
  }

  @Test func `to anywhere else is not made without credentials`() async {
    let error = await failure {
      try await client(.aws, region: "eu-west-1", ["AWS_EC2_METADATA_DISABLED": "true"])
    }
    #expect(error?.code == .credentials)
    #expect(error?.message.contains("https://lambda.eu-west-1.amazonaws.com") == true)
  }

  @Test func `to AWS needs a region, of the settings or of the machine`() async throws {
    let missing = await failure { try await client(.aws, keys) }
    #expect(missing?.code == .settings)
    let wrong = await failure { try await client(.aws, region: "evil.example/", keys) }
    #expect(wrong?.code == .settings)
    let machine = try await client(
      .aws, keys, transport: FakeTransport([HTTPResult(200, "token"), HTTPResult(200, "eu-north-1")]))
    #expect(machine.region == "eu-north-1")
  }
}
