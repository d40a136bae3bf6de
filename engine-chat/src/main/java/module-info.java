/** Chat templates over jinjava. */
module dev.quern.chat {
  requires transitive dev.quern.transformer;
  requires static org.jspecify;
  requires jinjava;

  provides dev.quern.transformer.ChatTemplateProvider with
      dev.quern.chat.JinjavaChatTemplateProvider;
}
