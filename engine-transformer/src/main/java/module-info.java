/** Model files, tokenizers, model families and sessions. */
module dev.quern.transformer {
  requires transitive dev.quern.core;
  requires static transitive org.jspecify;

  exports dev.quern.gguf;
  exports dev.quern.tokenizer;
  exports dev.quern.transformer;

  uses dev.quern.transformer.ChatTemplateProvider;
}
