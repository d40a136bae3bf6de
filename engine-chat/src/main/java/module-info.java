/** Chat templates over jinjava. */
module dev.quern.chat {
  requires transitive dev.quern.transformer;
  requires static org.jspecify;
  requires jinjava;
  // jinjava uses these but, having no descriptor, cannot say so
  requires com.fasterxml.jackson.databind;
  requires com.fasterxml.jackson.datatype.jdk8;
  requires com.fasterxml.jackson.dataformat.yaml;
  requires org.apache.commons.lang3;
  requires org.slf4j;

  provides dev.quern.transformer.ChatTemplateProvider with
      dev.quern.chat.JinjavaChatTemplateProvider;
}
